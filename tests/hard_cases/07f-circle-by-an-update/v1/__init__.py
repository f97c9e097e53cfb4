def load(value):
    return value
