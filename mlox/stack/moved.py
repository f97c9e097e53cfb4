"""What `move` hands back: what it would do, and what it did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mlox.archives import Content
from mlox.moves import Move
from mlox.values import Deployed, ServiceRow, Value, columns

EMPTY = Content()


@dataclass(frozen=True, slots=True, repr=False)
class Moving(Value):
    """A move that was only planned."""

    move: Move

    def text(self, *, detail: bool = False) -> str:
        """What stops, what is copied, who is wired anew, and how it is verified."""
        move = self.move
        before, after = move.before[0].version, move.after[0].version
        size = f", {move.size_bytes / 1e6:.1f} MB" if detail else ""
        lines = [f"move {move.service}: {move.source} → {move.target}"]
        lines += [f"  version: {before} → {after}"] if before != after else []
        lines.append(f"  stops meanwhile: {', '.join((move.service, *move.stops))}")
        lines.append(f"  copies: {', '.join(move.folders)}{size}" if move.folders else "  copies: nothing")
        lines += [f"  {line}" for line in wired_lines(move, detail=detail)]
        lines.append(f"  {how_verified(move)}")
        return "\n".join([*lines, "nothing was changed"])

    def to_json(self) -> dict[str, Any]:
        """The move's own object."""
        return self.move.to_json()


@dataclass(frozen=True, slots=True, repr=False)
class Moved(Value):
    """A move that was done; ``move`` is None where the service was there already."""

    service: str
    target: str
    deployed: Deployed
    move: Move | None = None
    content: Content = EMPTY

    @property
    def services(self) -> tuple[ServiceRow, ...]:
        """The service and its consumers, afterwards."""
        return self.deployed.services

    def text(self, *, detail: bool = False) -> str:
        """The services, a line each, and what was verified."""
        rows = columns([row.cells(detail) for row in self.services])
        if self.move is None:
            return "\n".join([f"{self.service} is on {self.target} already", *rows])
        move = self.move
        size = f": {self.content.entries} files and folders, {self.content.size_bytes} bytes" if detail else ""
        first = f"{self.service} moved: {move.source} → {move.target}"
        compared = f"{how_verified(move)}{size}"
        return "\n".join([first, compared, *wired_lines(move, detail=detail), *rows, *self.deployed.notes])

    def to_json(self) -> dict[str, Any]:
        """The move's own object, with the digest of its data, and the services."""
        rows = [asdict(row) for row in self.services]
        if self.move is None:
            return {"service": self.service, "from": self.target, "to": self.target, "services": rows}
        found = self.move.to_json()
        data = {**found["data"], "digest": self.content.digest, "entries": self.content.entries}
        return {**found, "data": {**data, "bytes": self.content.size_bytes}, "services": rows}


def wired_lines(move: Move, *, detail: bool) -> list[str]:
    """Who finds the service at another address."""
    return [
        f"{w.service} is wired anew: {w.need}" + (f": {w.before} → {w.after}" if detail else "") for w in move.wired
    ]


def how_verified(move: Move) -> str:
    """By what it is known that nothing is lost."""
    if move.compares:
        return "verified by its data and by its own content"
    return "verified by its data; it brings no command that tells what it holds"
