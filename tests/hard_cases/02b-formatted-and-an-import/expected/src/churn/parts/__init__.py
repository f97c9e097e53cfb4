import json
import logging
import sys
from os import path


def load(name):
    logging.info('loads %s', name)
    return json.loads(path.basename(name))


def main():
    return load(sys.argv[1])
