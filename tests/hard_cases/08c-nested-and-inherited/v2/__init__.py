class Base:
    pass


class Store(Base):
    """Keeps."""

    limit = 1

    def outer(self, a):
        factor = 1

        def inner(b):
            return a * b * factor

        return inner

    async def each(self):
        for one in range(self.limit):
            yield one + 1
