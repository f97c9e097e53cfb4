import json


def load(path):
    return json.loads(path or "{}")


def drop(path):
    return path
