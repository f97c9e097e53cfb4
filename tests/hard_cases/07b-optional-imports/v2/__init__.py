import json

try:
    import orjson
except ImportError:
    orjson = None

try:
    import ujson
except ImportError:
    ujson = None


def dumps(value):
    return (ujson or json).dumps(value)
