"""How versions of a secret are files that two branches can add to, and which of them are the newest.

A file is ``<version>-<time>-<readers>-<seal>[-<version that it follows>...].age``. It is made once and never changed.
The same version sealed again for more readers is one more file. What no version follows is a head; two heads mean that
two branches have set the secret.
"""

from __future__ import annotations

import re
import secrets
from calendar import timegm
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import gmtime, strftime, strptime

from mlox.secret_stores.folders import entries

MAX_FOLLOWED = 6
"""A file's name has to fit into 143 characters, what encrypted home folders allow; more heads need two writes."""

_FILE = re.compile(
    r"(?P<id>[0-9a-f]{12})-(?P<time>[0-9]{8}T[0-9]{6}Z)-(?P<readers>[0-9a-f]{12})-(?P<seal>[0-9a-f]{4})"
    r"(?P<follows>(?:-[0-9a-f]{12})*)\.age"
)
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Sealed:
    """One file: a version, sealed for the readers whose list has that digest."""

    path: Path
    readers: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a secret: its id, when it was set (seconds since the epoch), what it follows, its files."""

    id: str
    updated: float
    follows: frozenset[str]
    files: tuple[Sealed, ...]

    def file_name(self, readers: str) -> str:
        """A new name for this version, sealed for ``readers``."""
        parts = [self.id, strftime(_TIME, gmtime(self.updated)), readers, secrets.token_hex(2), *sorted(self.follows)]
        return f"{'-'.join(parts)}.age"

    @property
    def day(self) -> str:
        """When it was set, for a person."""
        return strftime("%Y-%m-%d %H:%M UTC", gmtime(self.updated))


def new_version(heads: Sequence[Version], now: float) -> Version:
    """A version that follows these."""
    return Version(secrets.token_hex(6), now, frozenset(head.id for head in heads[:MAX_FOLLOWED]), ())


def versions_in(folder: Path) -> list[Version]:
    """The versions of one secret, by time; each head comes after all that is none."""
    found: dict[str, Version] = {}
    for entry in sorted(entries(folder), key=lambda entry: entry.name):
        match = _FILE.fullmatch(entry.name)
        if match is None or (updated := _seconds(match["time"])) is None:
            continue
        file = Sealed(folder / entry.name, match["readers"])
        follows = frozenset(match["follows"].split("-")[1:])
        known = found.get(match["id"])
        if known is None:
            found[match["id"]] = Version(match["id"], updated, follows, (file,))
        else:
            found[known.id] = Version(known.id, known.updated, known.follows | follows, (*known.files, file))
    followed = _followed(found.values())
    return sorted(found.values(), key=lambda each: (each.id not in followed, each.updated, each.id))


def heads_of(versions: Sequence[Version]) -> list[Version]:
    """The versions that no other follows, the latest last; of a ring, which nobody can have written, all."""
    followed = _followed(versions)
    return [each for each in versions if each.id not in followed] or list(versions)


def _followed(versions: Iterable[Version]) -> set[str]:
    return {id_ for each in versions for id_ in each.follows if id_ != each.id}


def _seconds(text: str) -> float | None:
    try:
        return float(timegm(strptime(text, _TIME)))
    except ValueError:
        return None
