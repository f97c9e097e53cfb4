def load(path):
    return path


class Config:
    mine = 1


def main():
    return "mine"
