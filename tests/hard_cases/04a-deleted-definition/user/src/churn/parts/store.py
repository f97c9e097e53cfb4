import json


def load(path):
    return json.loads(path)


def drop(path):
    return path
