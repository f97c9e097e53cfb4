"""What every pipeline and service needs beside its own work: retries, timing, logs, files, batches, environment."""

from .batches import chunks, chunks_within
from .environment import Environment, EnvironmentProblem
from .files import atomic_file, write_atomic
from .logs import configure_logging, log_fields
from .retrying import Backoff, retry
from .timing import Took, profiled, timed

__all__ = [
    "Backoff",
    "Environment",
    "EnvironmentProblem",
    "Took",
    "atomic_file",
    "chunks",
    "chunks_within",
    "configure_logging",
    "log_fields",
    "profiled",
    "retry",
    "timed",
    "write_atomic",
]
