"""What serves."""

app = []


if __name__ == "__main__":
    print(app)
