import json
import sys
from os import path


def load(name):
    return json.loads(path.basename(name))


def main():
    return load(sys.argv[1])
