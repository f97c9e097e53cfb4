"""The worksheet of a service: what every one must do, tried on a file in a scratch stack with data of its own."""

from mlox.worksheet.points import Result
from mlox.worksheet.trying import Way, try_out

__all__ = ["Result", "Way", "try_out"]
