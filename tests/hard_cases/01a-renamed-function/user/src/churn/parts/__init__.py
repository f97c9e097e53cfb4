from .store import fetch, load_all

__all__ = ["fetch", "load_all"]
