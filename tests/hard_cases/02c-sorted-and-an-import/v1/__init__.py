from os import path
import json
import sys

print(json, sys, path)
