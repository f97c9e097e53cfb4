"""As whom native units run: the user, or, where the user is root, an unprivileged account."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mlox.errors import CommandError, RequirementError
from mlox.protocols import Transport

NAME = "mlox"
FALLBACK = "nobody"
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine; ``other`` says that it is not the one we run as."""

    name: str
    uid: int
    gid: int
    other: bool

    @property
    def switch(self) -> str | None:
        """What a transport is told: the name, or None where nothing has to be switched."""
        return self.name if self.other else None

    @property
    def folder_mode(self) -> int:
        """The mode of a folder on the way to what the account owns."""
        return 0o711 if self.other else 0o700

    def may_enter(self, folder: Path) -> bool:
        """Whether the account can go through ``folder`` and every folder above it, by their modes."""
        return all(self._may(each, 1) for each in (folder, *folder.parents))

    def may_list(self, folder: Path) -> bool:
        """Whether the account can also see what is in ``folder``."""
        return self.may_enter(folder) and self._may(folder, 4)

    def _may(self, path: Path, right: int) -> bool:
        try:
            seen = path.stat()
        except OSError:
            return False
        if not stat.S_ISDIR(seen.st_mode):
            return False
        if seen.st_uid == self.uid:
            return bool(seen.st_mode >> 6 & right)
        groups = _groups(self.name, self.gid) if self.other else (self.gid, *os.getgroups())
        return bool((seen.st_mode >> 3 if seen.st_gid in groups else seen.st_mode) & right)


def existing() -> Account:
    """The account that units would run as now, without creating one."""
    if os.geteuid() != 0:
        return ours()
    for name in (NAME, FALLBACK):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, other=True)
    raise RequirementError(
        f"there is no account {FALLBACK!r} on this machine, and root may not run services",
        hint=f"Create an account for them: useradd --system {NAME}",
    )


def ours() -> Account:
    """The account that this process runs as."""
    return Account(_name_of(os.geteuid()), os.geteuid(), os.getegid(), other=False)


def ensure(transport: Transport) -> Account:
    """The account that units run as; as root it is created where it can be."""
    found = existing()
    if not found.other or found.name == NAME or shutil.which("useradd") is None:
        return found
    shell = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin") or "/bin/false"
    argv = ("useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell, NAME)
    for _ in range(ATTEMPTS):
        try:
            made = transport.run(argv, timeout_s=30)
        except CommandError:
            return found
        found = existing()
        if found.name == NAME or "lock" not in made.stderr:
            break
        time.sleep(0.1)
    return found


@lru_cache
def _groups(name: str, gid: int) -> tuple[int, ...]:
    return tuple(os.getgrouplist(name, gid))


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
