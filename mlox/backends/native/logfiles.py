"""How the ends of logs are read, and how a log is followed while it grows and rotates."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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


def tail(path: Path, count: int) -> tuple[str, ...]:
    """The last ``count`` lines of a log and, where it is shorter, of its older parts; empty where there is none."""
    lines: list[str] = []
    for part in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, BACKUPS + 1))):
        if len(lines) >= count:
            break
        lines = [*_end_of(part, count - len(lines)), *lines]
    return tuple(lines[-count:]) if count > 0 else ()


def follow(path: Path) -> Iterator[str]:
    """Lines that are written after this call, also after the log was rotated or did not exist; never ends by itself."""
    try:
        now = path.stat()
        return _follow(path, (now.st_dev, now.st_ino), now.st_size)
    except FileNotFoundError:
        return _follow(path, None, 0)


def _follow(path: Path, seen: tuple[int, int] | None, place: int) -> Iterator[str]:
    file = _open(path)
    rest = b""
    if file is not None and _identity(os.fstat(file.fileno())) == seen:
        file.seek(place)
    try:
        while True:
            block = file.read(_BLOCK) if file is not None else b""
            if block:
                *lines, rest = (rest + block).split(b"\n")
                yield from (_text(line) for line in lines)
            elif file is None or _replaced(file, path):
                if rest:
                    yield _text(rest)
                    rest = b""
                if file is not None:
                    file.close()
                file = _open(path)
                if file is None:
                    time.sleep(POLL_S)
            else:
                time.sleep(POLL_S)
    finally:
        if file is not None:
            file.close()


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


def _end_of(path: Path, count: int) -> list[str]:
    file = _open(path)
    if file is None:
        return []
    with file:
        place, seen = file.seek(0, os.SEEK_END), b""
        while place > 0 and seen.count(b"\n") <= count:
            start = max(0, place - _BLOCK)
            file.seek(start)
            seen = file.read(place - start) + seen
            place = start
    return [_text(line) for line in seen.removesuffix(b"\n").split(b"\n")][-count:] if seen else []


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")
