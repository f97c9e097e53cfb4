import json
import sys

LIMITS = {
    "rows": 100,
    "columns": 20,
}


def load(path):
    return json.loads(path)


def main():
    return load(sys.argv[1])


def limit():
    return LIMITS["columns"]
