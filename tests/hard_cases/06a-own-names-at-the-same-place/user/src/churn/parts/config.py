class Config:
    mine = 1


def main():
    return Config()


app = main()
