"""What there is to say of a compose file: what is wrong, what cannot be carried, what a reader should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlox.errors import SpecError

TOLD = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in the file: its path (``services.web.ports``), a sentence, and the safe form where there is one."""

    path: str
    problem: str
    safe: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}{f'; {self.safe}' if self.safe else ''}"

    def to_json(self) -> dict[str, Any]:
        """A JSON object: path, problem, safe."""
        return {"path": self.path, "problem": self.problem, "safe": self.safe}


@dataclass(slots=True)
class Findings:
    """All that was found while one file was read. Where ``source`` is the file's name, for errors."""

    source: str
    warnings: list[Finding] = field(default_factory=list)
    left_out: list[Finding] = field(default_factory=list)

    def warn(self, path: str, problem: str, safe: str = "") -> None:
        """A reader should know this; what is said already is not said again."""
        finding = Finding(path, problem, safe)
        if finding not in self.warnings:
            self.warnings.append(finding)

    def unsupported(self, path: str, why: str = "not supported") -> None:
        """This cannot be carried: an error, or left out where somebody said so."""
        finding = Finding(path, why)
        if finding not in self.left_out:
            self.left_out.append(finding)

    def wrong(self, path: str, problem: str, hint: str = "Mend it there; nothing was changed.") -> SpecError:
        """The error for something that cannot be, whatever is allowed."""
        return SpecError(f"{self.source}: {path}: {problem}", hint=hint)

    def check(self, *, allow_unsupported: bool) -> None:
        """Raise a :class:`SpecError` that names every path that cannot be carried."""
        if self.left_out and not allow_unsupported:
            raise SpecError(
                f"{self.source}: {told(self.left_out)}",
                hint="Take it out of the file, or leave it out here: --allow-unsupported.",
            )


def told(findings: Sequence[Finding]) -> str:
    """The first findings in one line, and how many more there are."""
    more = f" (and {len(findings) - TOLD} more)" if len(findings) > TOLD else ""
    return "; ".join(map(str, findings[:TOLD])) + more
