from churn.writing import save

__all__ = ["load", "save"]


def load(path):
    return {"path": path}
