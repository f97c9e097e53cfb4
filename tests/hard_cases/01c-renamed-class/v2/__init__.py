class Store:
    """Keeps things."""

    def __init__(self):
        self.things = []

    def put(self, thing):
        if thing not in self.things:
            self.things.append(thing)

    def __len__(self):
        return len(self.things)
