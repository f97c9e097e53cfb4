"""How a machine is acted on: the seam that back ends run commands and write files through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Write = Callable[[Literal["out", "err"], bytes], None]
"""Takes what a command writes, as it comes: to its standard output, or to its standard error."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended: exit code and what it wrote."""

    code: int
    stdout: str
    stderr: str


class Transport(Protocol):
    """A way to act on a machine: argv tuples, never shell strings; a secret travels by ``input`` or by ``put``."""

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes | None = None,
        timeout_s: float = 60,
        environment: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> Completed:
        """Run to the end. ``environment`` is added to the machine's own; ``account`` runs it as that user.

        Raises:
            CommandError: there is no such program, or it took longer than ``timeout_s`` seconds and was ended.
        """

    def stream(self, argv: Sequence[str]) -> Iterator[str]:
        """Lines of standard output as they come; closing the iterator ends the command."""

    def attach(
        self,
        argv: Sequence[str],
        *,
        input: int | None = None,
        write: Write | None = None,
        environment: Mapping[str, str] | None = None,
        account: str | None = None,
    ) -> int:
        """Run to the end while somebody reads along; returns the exit code: 128 and the signal, where one ended it.

        Args:
            input: the file descriptor that it reads from; None: it reads nothing.
            write: gets what it writes. None: it has this process's own terminal, also to read from.

        Raises:
            CommandError: there is no such program, or it was ended by :meth:`abort`.
        """

    def put(self, content: bytes, path: Path, *, mode: int, account: str | None = None) -> None:
        """Write a file in one step: a reader sees the old content or the new, and never with a wider mode."""

    def get(self, path: Path) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: there is none.
        """

    def abort(self) -> None:
        """End every command that :meth:`run` is waiting for; each of these calls raises :class:`CommandError`."""
