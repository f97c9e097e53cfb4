class Config:
    limit: int = 3


def main():
    return Config()
