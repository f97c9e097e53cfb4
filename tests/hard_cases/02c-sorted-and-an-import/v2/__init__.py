from os import path
import json
import sys
import logging

print(json, sys, path)
logging.info("here")
