LIMITS = {"rows": 10, "columns": 20}
def load(path, *, strict=False, encoding="utf-8"):
    return open(path, encoding = encoding, errors = "strict" if strict else "replace")
def main(): return load("a", strict=True)
