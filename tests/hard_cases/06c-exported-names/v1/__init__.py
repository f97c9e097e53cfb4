from .numbers import *
from .words import one

__all__ = ["one", "two"]
