from os import path
import json
import sys

def load(name):
    return json.loads(path.basename(name))
def main(): return load(sys.argv[1])
