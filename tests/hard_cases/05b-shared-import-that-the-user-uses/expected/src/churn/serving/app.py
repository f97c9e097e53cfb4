"""What serves."""

import json

app = []


LIMIT = json.loads('3')

if __name__ == "__main__":
    print(app)
