"""How the ends of logs are read, and how a log is followed while it grows and rotates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mlox.protocols import Line, Lines

BACKUPS = 3
POLL_S = 0.1

_BLOCK = 1 << 16


def last_lines(output: str, count: int = 10) -> str:
    r"""The end of an output for the end of a problem: empty, or a colon and the lines below it.

    Example:
        >>> print("it failed" + last_lines("one\n\ntwo", 1))
        it failed:
          two
    """
    lines = [line for line in output.splitlines() if line.strip()][-count:]
    return "".join([":", *(f"\n  {line}" for line in lines)]) if lines else ""


def tail(path: Path, count: int, end: int | None = None) -> tuple[Line, ...]:
    """The last ``count`` lines of a log and, where it is shorter, of its older parts; empty where there is none.

    ``end`` is where the log is thought to end, in bytes.
    """
    lines: list[str] = []
    for part in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, BACKUPS + 1))):
        if len(lines) >= count:
            break
        lines = [*_end_of(part, count - len(lines), end if part == path else None), *lines]
    return tuple(map(Line, lines[-count:])) if count > 0 else ()


def follow(path: Path, count: int = 0) -> Lines:
    """Lines that are written after this call, also after the log was rotated or did not exist; never ends by itself.

    With a ``count`` of lines before, it begins where the last whole one of them ends.
    """
    try:
        now = path.stat()
    except FileNotFoundError:
        return Lines((), lambda lines: _follow(path, None, 0, lines))
    place = _whole(path, now.st_size) if count > 0 else now.st_size
    return Lines(tail(path, count, place), lambda lines: _follow(path, _identity(now), place, lines))


def _follow(path: Path, seen: tuple[int, int] | None, place: int, lines: Lines) -> Iterator[Line]:
    file = _open(path)
    rest = b""
    if file is not None and _identity(os.fstat(file.fileno())) == seen:
        file.seek(place)
    try:
        while not lines.ended:
            block = file.read(_BLOCK) if file is not None else b""
            if block:
                *whole, rest = (rest + block).split(b"\n")
                yield from (Line(_text(line)) for line in whole)
            elif file is None or _replaced(file, path):
                if rest:
                    yield Line(_text(rest))
                    rest = b""
                if file is not None:
                    file.close()
                file = _open(path)
                if file is None:
                    lines.wait(POLL_S)
            else:
                lines.wait(POLL_S)
    finally:
        if file is not None:
            file.close()


def _whole(path: Path, end: int) -> int:
    """Where the last whole line before ``end`` ends."""
    file = _open(path)
    if file is None:
        return 0
    with file:
        place = end
        while place > 0:
            start = max(0, place - _BLOCK)
            file.seek(start)
            found = file.read(place - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            place = start
    return 0


def _replaced(file: BinaryIO, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return _identity(os.fstat(file.fileno())) != _identity(there) or there.st_size < file.tell()


def _identity(seen: os.stat_result) -> tuple[int, int]:
    return seen.st_dev, seen.st_ino


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _end_of(path: Path, count: int, end: int | None) -> list[str]:
    file = _open(path)
    if file is None:
        return []
    with file:
        place, seen = file.seek(0, os.SEEK_END) if end is None else end, b""
        while place > 0 and seen.count(b"\n") <= count:
            start = max(0, place - _BLOCK)
            file.seek(start)
            seen = file.read(place - start) + seen
            place = start
    return [_text(line) for line in seen.removesuffix(b"\n").split(b"\n")][-count:] if seen else []


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")
