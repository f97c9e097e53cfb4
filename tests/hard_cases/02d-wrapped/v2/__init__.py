LIMITS = {"rows": 100, "columns": 20}
def load(path, *, strict=False, encoding="utf-8"):
    return open(path, encoding = encoding, errors = "strict" if strict else "ignore")
def main(): return load("a", strict=True)
