from functools import cache


@cache
def load(path):
    return {"path": path, "rows": 1}


async def fetch(path):
    async with path as file:
        return await file.read() or b""


class Store:
    @staticmethod
    def make():
        return Store()

    def get(self, key):
        return key or "nothing"
