"""What a check finds: where, what is wrong there, and what to do; and all of it as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from mlox.errors import MloxError
from mlox.values import Table

Kind = Literal["stack", "catalog", "service", "pins", "secrets", "component", "vault", "files"]

_PLACED = re.compile(r"(?P<file>[^\s:][^:]*):(?:(?P<line>\d+):)? ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: in which file and line (None where none is known), about what, and what to do."""

    kind: Kind
    about: str
    problem: str
    hint: str = ""
    file: str = ""
    line: int | None = None

    @property
    def where(self) -> str:
        """``file:line``, as editors read it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, repr=False)
class Checked(Table):
    """What a check found: a row each; nothing where all is well."""

    findings: tuple[Finding, ...] = ()


def as_table(findings: Iterable[Finding], *, looked_at: str, differs_is: int = 0) -> Checked:
    """The findings, each once, as a table; its exit code is ``differs_is`` where there are any."""
    found = tuple(dict.fromkeys(findings))
    rows = tuple((each.where, each.problem.replace("\n", " "), each.hint) for each in found)
    json = {"findings": [asdict(each) for each in found]}
    count = f"{len(found)} finding{'' if len(found) == 1 else 's'}"
    return Checked(
        ("where", "finding", "what to do"),
        rows,
        json,
        detailed=frozenset({"what to do"}),
        empty=f"nothing to mend: {looked_at}",
        notes=(count,) if found else (),
        code=differs_is if found else 0,
        findings=found,
    )


def found(kind: Kind, about: str, error: MloxError, *, file: str, line: int | None = None) -> Finding:
    """An error as a finding; where its problem begins with a place, that is where it is.

    Example:
        >>> from mlox.errors import SpecError
        >>> found("stack", "", SpecError("mlox.yaml:3: unknown key 'x'"), file="mlox.yaml").where
        'mlox.yaml:3'
    """
    return next(each_found(kind, about, error, file=file, line=line))


def each_found(kind: Kind, about: str, error: MloxError, *, file: str, line: int | None = None) -> Iterator[Finding]:
    """The same for each place that the problem names."""
    match = _PLACED.match(error.problem)
    if match is None or match["file"].rpartition("/")[2] != file.rpartition("/")[2]:
        yield Finding(kind, about, error.problem, error.hint or "", file, line)
        return
    for part in re.split(rf"; (?={re.escape(match['file'])}:)", error.problem):
        placed = _PLACED.match(part)
        if placed is not None:
            at = int(placed["line"]) if placed["line"] else line
            yield Finding(kind, about, part[placed.end() :], error.hint or "", file, at)
