"""A model behind HTTP: health, typed predictions, problem details and request ids, by FastAPI."""

from .app import app
from .model import Model, Value
from .problems import Problem
from .settings import Settings

__all__ = ["Model", "Problem", "Settings", "Value", "app"]
