class Problem(Exception):
    pass
