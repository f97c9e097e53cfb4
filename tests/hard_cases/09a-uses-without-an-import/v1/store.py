class Store:
    limit = 1


def main():
    return Store()
