"""One version of a model, with what its run has measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIAS = "champion"
"""The alias of the version that serves, where no other is said."""

_LONGEST = 100  # versions that are remembered for rolling back


@dataclass(frozen=True)
class ModelVersion:
    """``uri`` is what ``mlflow.<flavor>.load_model`` takes; ``metrics`` are those of the run that made it."""

    name: str
    version: int
    run_id: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """Names this version, whatever alias it has later."""
        return f"models:/{self.name}/{self.version}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def history_key(alias: str) -> str:
    """The tag of a registered model that tells which versions have had an alias."""
    return f"served.{alias}"


def read_history(text: str | None) -> list[int]:
    """The versions that have had an alias, the last one last; a tag that somebody else wrote is no history."""
    try:
        found = json.loads(text or "[]")
    except json.JSONDecodeError:
        return []
    return [one for one in found if isinstance(one, int)] if isinstance(found, list) else []


def write_history(versions: Sequence[int]) -> str:
    """The same as a text."""
    return json.dumps(list(versions[-_LONGEST:]))
