import json


class Store:
    def __init__(self, path):
        self.path = path

    def load(self):
        return json.loads(self.path or "null")
