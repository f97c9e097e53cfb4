import json


def load(path):
    return json.loads(path or "{}")


def save(path, row):
    return {"path": path, "row": row}


def drop(path):
    return path
