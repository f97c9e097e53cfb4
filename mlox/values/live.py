"""Values that go on: looks that follow each other until somebody has seen enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mlox.errors import MloxError
from mlox.values import Value


class Live(Value):
    """One look after the other; iterate over it. An interrupt is the way to end it, and no error.

    Attributes:
        looks: the values, each as it is found; the iteration waits between them.
        changes: whether a look that shows the same as the one before says nothing new, where each takes lines.
    """

    def __init__(self, looks: Iterator[Value], *, changes: bool) -> None:
        self.looks = looks
        self.changes = changes

    def text(self, *, detail: bool = False) -> str:
        """Nothing: the looks are shown one by one."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Nothing: the looks are shown one by one."""
        return {}


@dataclass(frozen=True, slots=True, repr=False)
class Missed(Value):
    """A look that failed; the next one may not."""

    error: MloxError

    def text(self, *, detail: bool = False) -> str:
        """The problem and what helps."""
        return "\n".join([f"error: {self.error.problem}", *([f"hint: {self.error.hint}"] if self.error.hint else [])])

    def to_json(self) -> dict[str, Any]:
        """The object of a failure."""
        return {"error": self.error.to_json()}


def every(interval_s: float, look: Callable[[], Value]) -> Iterator[Value]:
    """A look now, and one each ``interval_s`` seconds; one that takes longer is followed by the next at once.

    The first look is done before this returns, so what is asked wrongly is told as ever.

    Raises:
        MloxError: the first look failed; later ones are a :class:`Missed`.

    Example:
        >>> from mlox.values import Notice
        >>> next(every(60, lambda: Notice(("one look",), {}))).text()
        'one look'
    """
    began = time.monotonic()
    return _every(interval_s, look, look(), began)


def _every(interval_s: float, look: Callable[[], Value], first: Value, began: float) -> Iterator[Value]:
    yield first
    while True:
        time.sleep(max(began + interval_s - time.monotonic(), 0))
        began = time.monotonic()
        try:
            found = look()
        except MloxError as error:
            found = Missed(error)
        yield found
