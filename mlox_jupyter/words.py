"""How words of the shell become words of a cell: ``mlox up`` is ``%mlox up`` there."""

from __future__ import annotations

import re
from functools import cache

from mlox.errors import MloxError
from mlox.verbs import all_verbs

_ELSEWHERE = re.compile(r"\bin a (?:terminal|shell)\b", re.IGNORECASE)


def in_a_cell(text: str) -> str:
    """``text`` with every call of the shell as a magic, but for lines about a terminal.

    Example:
        >>> in_a_cell("Start it: mlox up mlflow. See mlox.yaml.")
        'Start it: %mlox up mlflow. See mlox.yaml.'
        >>> in_a_cell("Use `mlox secrets get TOKEN --reveal` in a terminal.")
        'Use `mlox secrets get TOKEN --reveal` in a terminal.'
    """
    if "mlox " not in text:
        return text
    return "\n".join(line if _ELSEWHERE.search(line) else _call().sub("%mlox ", line) for line in text.split("\n"))


def with_magics(error: MloxError) -> MloxError:
    """The same error, its hint in the words of a cell."""
    if error.hint:
        error.hint = in_a_cell(error.hint)
    return error


@cache
def _call() -> re.Pattern[str]:
    """The word mlox in front of a verb, as in a shell."""
    first = "|".join(sorted({re.escape(name.split()[0]) for name in all_verbs()}))
    return re.compile(rf"(?<![\w%./-])mlox (?=(?:{first}|VERB|\[options\])(?![\w-]))")
