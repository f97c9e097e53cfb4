import json
import shutil


class Store:
    def __init__(self, path):
        self.path = path

    def drop(self):
        shutil.rmtree(self.path)

    def load(self):
        return json.loads(self.path)
