"""Runs of MLflow that can be told apart and made again: parameters, metrics, artifacts, commit, environment, seeds."""

from .facts import seed_everything
from .parameters import flattened
from .run import Run, TrackingError, track

__all__ = ["Run", "TrackingError", "flattened", "seed_everything", "track"]
