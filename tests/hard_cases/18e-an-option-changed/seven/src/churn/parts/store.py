LIMIT = 7


def limit():
    return LIMIT or 1
