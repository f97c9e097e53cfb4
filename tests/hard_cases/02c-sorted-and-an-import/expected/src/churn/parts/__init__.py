import json
import logging
import sys
from os import path

print(json, sys, path)
logging.info("here")
