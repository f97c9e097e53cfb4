import sys

if sys.version_info >= (3, 11):

    def age():
        return "new"

else:

    def age():
        return "old"


try:
    import orjson

    def speed():
        return orjson.__name__

except ImportError:

    def speed():
        return "slow"
