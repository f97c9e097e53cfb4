"""Tables from files to training data: pipelines of steps, checked schemas, profiles, splits without leakage."""

from .files import scan, write
from .pipeline import Pipeline, Step, StepError
from .profile import profile
from .schema import Column, Schema, SchemaError
from .splits import Split, split_by_group, split_by_time

__all__ = [
    "Column",
    "Pipeline",
    "Schema",
    "SchemaError",
    "Split",
    "Step",
    "StepError",
    "profile",
    "scan",
    "split_by_group",
    "split_by_time",
    "write",
]
