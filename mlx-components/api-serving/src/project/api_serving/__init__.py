"""A model behind HTTP: health, typed predictions, problem details and request ids, by FastAPI.

The application is made in ``app.py``, which imports what adds to it; so nothing here imports that module.
"""

from .model import Model, Value
from .problems import Problem
from .settings import Settings

__all__ = ["Model", "Problem", "Settings", "Value"]
