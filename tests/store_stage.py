"""The stores that keep secrets on the disk: how to make one in a home, here and in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlox.secret_stores.user import UserStore
from mlox.secret_stores.vault import VaultStore
from tests.vault_stage import BESIDE

DiskStore = UserStore | VaultStore


@dataclass(frozen=True)
class OnDisk:
    """A store on the disk: ``make`` it in a home, ``code`` that does the same, and where its ``secrets`` lie."""

    name: str
    make: Callable[[Path], DiskStore]
    code: str
    secrets: str


def user_store(home: Path) -> UserStore:
    return UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")


def vault_store(home: Path) -> VaultStore:
    return VaultStore(home / ".mlox", home / "identity", home / "agreed", beside=BESIDE)


def identity_of(home: Path) -> Path:
    """The identity file of the user's store."""
    return home / "config" / "identity"


def files_in(folder: Path) -> list[Path]:
    """All files, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


USER = OnDisk(
    "user",
    user_store,
    """\
from mlox.secret_stores.user import UserStore
store = UserStore(home / "data" / "stack" / "secrets", home / "config" / "identity")
""",
    "data/stack/secrets",
)
VAULT = OnDisk(
    "vault",
    vault_store,
    """\
from mlox.protocols import Recipient
from mlox.secret_stores.vault import VaultStore
store = VaultStore(home / ".mlox", home / "identity", home / "agreed", beside={".gitignore": b"local/"})
""",
    ".mlox/secrets",
)

either = pytest.mark.parametrize("kind", [USER, VAULT], ids=lambda kind: kind.name)
either_and_slow_in_the_vault = pytest.mark.parametrize(
    "kind", [pytest.param(USER, id="user"), pytest.param(VAULT, id="vault", marks=pytest.mark.slow)]
)
