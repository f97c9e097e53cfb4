import importlib

yaml = importlib.import_module('yaml')
