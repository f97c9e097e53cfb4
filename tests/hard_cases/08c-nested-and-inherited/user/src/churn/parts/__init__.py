class Base:
    pass


class Ours:
    pass


class Store(Ours, Base):
    """Keeps."""

    limit = 5

    def outer(self, a):
        factor = 2

        def inner(b):
            return a * b

        return inner

    def ours(self):
        return self.limit

    async def each(self):
        for one in range(self.limit):
            yield one
