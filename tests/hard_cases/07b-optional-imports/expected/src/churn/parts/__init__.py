import json

try:
    import orjson  # noqa: F401
except ImportError:  # ours: not on our machines
    orjson = None

try:
    import ujson
except ImportError:
    ujson = None


def dumps(value):
    return (ujson or json).dumps(value)
