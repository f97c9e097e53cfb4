"""What the page's process is told, and what it answers: a line of JSON each, over its standard input and output."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mlox.errors import MloxError


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is for.

    Attributes:
        folder: where the workspace is looked for. ``profile``: what is laid over its ``mlox.yaml``.
        port: the one that is wanted; 0 takes a free one.
        token: what every request has to bring. It comes by a pipe, so that no list of processes shows it.
    """

    folder: Path
    profile: str | None
    port: int
    token: str

    @classmethod
    def read(cls, line: str) -> Asked:
        """What one line says.

        Example:
            >>> Asked.read('{"folder": "/work", "profile": null, "port": 0, "token": "t"}').folder.name
            'work'
        """
        said = json.loads(line)
        return cls(Path(said["folder"]), said["profile"], int(said["port"]), str(said["token"]))


class Answers:
    """Where the process that asked listens: one answer, whether the page is there or why not."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def ready(self, port: int, door: Path) -> None:
        """The page is there; ``door`` is a file that leads a browser to it, so that no command line has the token."""
        self._say({"port": port, "door": str(door)})

    def failed(self, error: MloxError) -> None:
        """There will be no page."""
        self._say({"error": error.to_json()})

    def _say(self, told: dict[str, object]) -> None:
        print(json.dumps(told), file=self._out, flush=True)
