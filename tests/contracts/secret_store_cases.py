"""Every secret store, how to make one with values, and how to make its writes fail: a row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlox.protocols import SecretStore, StoredSecret
from mlox.secret import Secret
from mlox.secret_stores.chain import Chain
from mlox.secret_stores.env import EnvironmentStore
from mlox.secret_stores.env_file import EnvFileStore
from mlox.secret_stores.service import ServiceStore
from mlox.secret_stores.user import UserStore
from mlox.secret_stores.vault import VaultStore
from mlox.testing import FakeSecretStore


@dataclass(frozen=True)
class Case:
    """A store, how to make one with values in a folder, and what it can; ``broken`` is a while in which writes fail."""

    name: str
    make: Callable[[Path, Mapping[str, str]], SecretStore]
    broken: Callable[[Path, SecretStore], AbstractContextManager[None]] | None = None

    @property
    def writable(self) -> bool:
        return self.broken is not None


class ReadOnly:
    """A store that shows another one and cannot write."""

    name = "read-only"

    def __init__(self, store: SecretStore) -> None:
        self._store = store

    def get(self, name: str, version: str | None = None) -> Secret:
        return self._store.get(name, version)

    def names(self) -> tuple[str, ...]:
        return self._store.names()

    def describe(self) -> tuple[StoredSecret, ...]:
        return self._store.describe()


def user_store(folder: Path, values: Mapping[str, str]) -> UserStore:
    store = UserStore(folder / "secrets", folder / "identity")
    for name, value in values.items():
        store.set(name, Secret(value))
    return store


def vault_store(folder: Path, values: Mapping[str, str]) -> VaultStore:
    store = VaultStore(folder, folder / "identity", folder / "agreed")
    for name, value in values.items():
        store.set(name, Secret(value))
    return store


def service_store(folder: Path, values: Mapping[str, str]) -> ServiceStore:
    return ServiceStore(user_store(folder, values), FakeSecretStore({"TOKEN": "not a service's"}))


def chain(folder: Path, values: Mapping[str, str]) -> Chain:
    stores = (EnvironmentStore({}), EnvFileStore(folder / ".env", {}), vault_store(folder, values), FakeSecretStore())
    return Chain(stores, lambda _: "vault")


def env_file(folder: Path, values: Mapping[str, str]) -> EnvFileStore:
    lines = [f"{name}='{value}'\n" for name, value in values.items()]
    (folder / ".env").write_text("".join(lines))
    return EnvFileStore(folder / ".env", {})


def environment(_: Path, values: Mapping[str, str]) -> EnvironmentStore:
    return EnvironmentStore({"PATH": "/bin", **{f"MLOX_SECRET_{name}": value for name, value in values.items()}})


@contextmanager
def folder_replaced(folder: Path, _: SecretStore) -> Iterator[None]:
    (folder / "secrets").rename(folder / "aside")
    (folder / "secrets").write_text("a file stands in the place of the folder")
    yield
    (folder / "secrets").unlink()
    (folder / "aside").rename(folder / "secrets")


@contextmanager
def told_to_fail(_: Path, store: SecretStore) -> Iterator[None]:
    assert isinstance(store, FakeSecretStore)
    store.failure = "No space left on device"
    yield
    store.failure = None


STORES = [
    Case("user", user_store, folder_replaced),
    Case("vault", vault_store, folder_replaced),
    Case("service", service_store, folder_replaced),
    Case("chain", chain, folder_replaced),
    Case("fake", lambda _, values: FakeSecretStore(values), told_to_fail),
    Case("env", environment),
    Case("env-file", env_file),
    Case("read-only", lambda _, values: ReadOnly(FakeSecretStore(values))),
]
WRITABLE = [case for case in STORES if case.writable]
