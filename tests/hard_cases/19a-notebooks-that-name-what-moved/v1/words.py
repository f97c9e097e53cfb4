def hello():
    return "hello"


def bye():
    return "bye"
