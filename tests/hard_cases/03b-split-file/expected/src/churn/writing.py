def save(path, row):
    if not row:
        raise ValueError("no row")
    return {"path": path, "row": row}
