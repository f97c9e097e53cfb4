"""What a front end gives to a verb: where, how much may be done, whom to tell and whom to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlox.errors import UsageError
from mlox.protocols import Emit, silent
from mlox.secret import Secret
from mlox.values import Front, Value

if TYPE_CHECKING:
    from mlox.stack import Stack
    from mlox.verbs.body import Body


def not_shown(_: Value) -> None:
    """For who has no place to show anything."""


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one call of a verb.

    Attributes:
        folder: where the workspace is looked for; None is the current folder.
        yes: questions are answered with yes. ``dry_run``: nothing is changed, only told.
        show: displays a value before the verb has ended, as what a question is about.
        ask: puts a question to a person and returns the answer; None where nobody can be asked.
        read_secret: asks a person for a secret, or reads it from standard input; None where neither is possible.
        may_reveal: whether a secret may be shown; never in a notebook.
        as_json: nothing but one JSON object may be printed.
        body: the YAML stack that stands beside the words, in a cell.
    """

    folder: Path | None = None
    profile: str | None = None
    yes: bool = False
    dry_run: bool = False
    front: Front = "script"
    emit: Emit = silent
    show: Callable[[Value], None] = not_shown
    ask: Callable[[str], str] | None = None
    read_secret: Callable[[str], Secret] | None = None
    may_reveal: bool = False
    interactive: bool = False
    as_json: bool = False
    body: Body | None = None

    def here(self) -> Path:
        """The folder that is asked from.

        Raises:
            WorkspaceError: somebody removed it meanwhile.
        """
        from mlox.workspace import current_folder

        return self.folder or current_folder()

    def stack(self, name: str | None = None) -> Stack:
        """The stack of the workspace."""
        from mlox.stack import Stack

        return Stack(name, self.folder, profile=self.profile)

    def confirm(self, question: str, *, answer: str = "yes") -> None:
        """Go on only when a person says ``answer``, or ``-y`` was given.

        Raises:
            UsageError: the answer is another one, or there is nobody to ask.
        """
        if self.yes:
            return
        if self.ask is None:
            raise UsageError(f"{question} There is nobody to ask here.", hint="Add -y if you are sure.")
        if self.ask(f"{question} Type {answer!r} to go on: ").strip().lower() not in {
            answer,
            answer[0] if answer == "yes" else answer,
        }:
            raise UsageError("nothing was done", hint=f"Type {answer!r} exactly, or add -y.")
