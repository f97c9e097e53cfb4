from churn.mine import four

from .numbers import *
from .words import one

__all__ = ["one", "two", "four"]
