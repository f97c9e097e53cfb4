A = 10


def f():
    return 2
