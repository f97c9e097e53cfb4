def save(path, row):
    return {"path": path, "row": row}
