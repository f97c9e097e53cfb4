"""Which objects of git were looked at and held nothing, so that a history is read once; no value and no hash of one."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mlox.journal import write_atomic
from mlox.scanning.looking import Needles

FORMAT = b"1"


class Clean:
    """The ids of objects that held none of some needles, in a file for its owner alone.

    The file says for which needles by an HMAC with a key of this user, which lies beside: another set of secrets, or
    another key, and everything is looked at again.
    """

    def __init__(self, folder: Path, needles: Needles) -> None:
        self._path = folder / "scanned"
        self._mark = hmac.digest(_key(folder.parent / "scan-key"), _told(needles), "sha256").hex()
        self.ids = frozenset(self._read())

    def add(self, ids: Iterable[str]) -> None:
        """Remember more of them; where that cannot be written, they are looked at again."""
        self.ids |= frozenset(ids)
        with suppress(OSError):
            write_atomic(self._path, "\n".join([self._mark, *sorted(self.ids)]).encode(), mode=0o600)

    def _read(self) -> list[str]:
        try:
            mark, *ids = self._path.read_text("ascii").split("\n")
        except (OSError, UnicodeDecodeError, ValueError):
            return []
        return ids if hmac.compare_digest(mark, self._mark) else []


def _told(needles: Needles) -> bytes:
    """What there is to look for, as one text, whose HMAC alone leaves this process."""
    forms = sorted(needles.matcher.forms)
    shapes = needles.shapes is not None
    return b"\0".join([FORMAT, b"shapes" if shapes else b"", *(f.encode(errors="surrogatepass") for f in forms)])


def _key(path: Path) -> bytes:
    with suppress(OSError):
        key = path.read_bytes()
        if len(key) == 32:
            return key
    key = secrets.token_bytes(32)
    with suppress(OSError):
        write_atomic(path, key, mode=0o600)
    return key
