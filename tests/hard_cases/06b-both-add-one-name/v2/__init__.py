def load(path):
    return path


class Config:
    limit: int = 3


def main():
    return Config()
