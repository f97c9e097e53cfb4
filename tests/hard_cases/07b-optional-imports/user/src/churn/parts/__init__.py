import json

try:
    import orjson  # noqa: F401
except ImportError:  # ours: not on our machines
    orjson = None


def dumps(value):
    return json.dumps(value)
