def bye():
    return "bye"
