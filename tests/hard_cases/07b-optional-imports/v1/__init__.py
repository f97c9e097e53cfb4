import json

try:
    import orjson
except ImportError:
    orjson = None


def dumps(value):
    return json.dumps(value)
