import importlib

def store():
    return importlib.import_module("churn.parts.store")


def limit():
    return getattr(store(), "Store"), "churn.parts.store.Store"
