"""How a panel calls verbs: by the same words as a cell, and nobody is asked, since the panel has asked already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlox.errors import MloxError, UsageError
from mlox.protocols import Emit, silent
from mlox.secret import Secret
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.grammar import parse
from mlox.verbs.outermost import keep_report
from mlox_jupyter.words import in_a_cell


@dataclass(frozen=True, slots=True)
class Caller:
    """Where verbs are called.

    Attributes:
        folder: where the workspace is looked for. ``profile``: what is laid over its ``mlox.yaml``.
    """

    folder: Path
    profile: str | None = None

    def call(self, *words: str, emit: Emit = silent, read_secret: Callable[[str], Secret] | None = None) -> Value:
        """What a verb hands back.

        Args:
            read_secret: gives the value of a secret that the verb asks for.

        Raises:
            MloxError: it failed.
        """
        call = parse(words)
        if call.verb is None:
            raise UsageError(f"{' '.join(words)} is no call of a verb", hint="Name a verb: mlox help.")
        ctx = Context(
            folder=self.folder,
            profile=self.profile,
            yes=call.options.yes,
            dry_run=call.options.dry_run,
            front="notebook",
            emit=emit,
            read_secret=read_secret,
        )
        return call.verb.function(ctx, **(call.arguments or {}))


def answered(work: Callable[[], object]) -> dict[str, Any]:
    """What work comes to, as JSON: its ``value``, or an ``error`` with problem and hint.

    Nothing is raised, since nobody is there to see it; a defect of ours becomes a report and one clear error.

    Example:
        >>> answered(lambda: 6 * 7)
        {'value': 42}
    """
    try:
        return {"value": work()}
    except MloxError as error:
        failed = error
    except Exception as error:  # noqa: BLE001 - the outermost place
        failed = keep_report(error)
    return {"error": {"problem": failed.problem, "hint": in_a_cell(failed.hint or "")}}
