import sys

if sys.version_info >= (3, 11):

    def age():
        return "new, ours"

else:

    def age():
        return "very old"


try:
    import orjson

    def speed():
        return orjson.__name__.upper()

except ImportError:

    def speed():
        return "slow, ours"
