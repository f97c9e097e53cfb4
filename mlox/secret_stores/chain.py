"""One store made of several: reads ask them in their order, a write goes to exactly one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from mlox.errors import InternalError, MloxError, SecretError, SecretNotFoundError, UnknownNameError, UsageError
from mlox.protocols import SecretStore, StoredSecret, WritableStore
from mlox.secret import Secret
from mlox.secret_seams import KnownSecret
from mlox.secret_stores.names import check_name, not_found

LIMIT_S = 10.0

Answer = TypeVar("Answer")


class Chain:
    """Several stores, the first that has a secret gives it; ``chosen`` names the one that a new secret goes to.

    A store that fails, or does not answer in time, is named in the error: none is passed over in silence.

    Example:
        >>> from mlox.secret_stores.env import EnvironmentStore
        >>> chain = Chain([EnvironmentStore({"MLOX_SECRET_TOKEN": "hunter22"})], lambda name: "vault")
        >>> chain.find("TOKEN")
        ('env', Secret('***', version='environment'))
    """

    name = "chain"

    def __init__(
        self, stores: Sequence[SecretStore], chosen: Callable[[str], str], *, limit_s: float = LIMIT_S
    ) -> None:
        self._stores = {store.name: store for store in stores}
        self._chosen = chosen
        self._limit_s = limit_s

    def get(self, name: str, version: str | None = None) -> Secret:
        """The value in the first store that has it.

        Raises:
            SecretNotFoundError: none has.
            SecretError: a store before it failed; the problem names the store.
        """
        return self.find(name, version)[1]

    def find(self, name: str, version: str | None = None, *, store: str | None = None) -> tuple[str, Secret]:
        """Like :meth:`get`, with the name of the store that gave it; ``store`` asks that one alone."""
        missing: list[SecretNotFoundError] = []
        asked = [self.store(store)] if store else list(self._stores.values())
        for each in asked:
            try:
                return each.name, self._ask(each, lambda each=each: each.get(name, version))  # type: ignore[misc]
            except SecretNotFoundError as error:
                missing.append(error)
        known = {known: each for each in reversed(asked) for known in self._ask(each, each.names)}
        if name in known:
            raise missing[asked.index(known[name])]
        raise not_found(name, sorted(known))

    def names(self) -> tuple[str, ...]:
        """The names in all stores, sorted."""
        return tuple(sorted({name for each in self._stores.values() for name in self._ask(each, each.names)}))

    def describe(self) -> tuple[StoredSecret, ...]:
        """Every secret as the first store that has it describes it, sorted by name."""
        first: dict[str, StoredSecret] = {}
        for _, secret in self.rows():
            first.setdefault(secret.name, secret)
        return tuple(first[name] for name in sorted(first))

    def rows(self) -> tuple[tuple[str, StoredSecret], ...]:
        """Every secret of every store, with the store's name, in the order in which they are asked."""
        return tuple((each.name, row) for each in self._stores.values() for row in self._ask(each, each.describe))

    def known(self) -> tuple[KnownSecret, ...]:
        """The newest values in all stores, all heads where there are several; those that cannot be opened without."""
        found = []
        for store, row in self.rows():
            for version in row.heads or (row.version,):
                try:
                    found.append(KnownSecret(row.name, store, self.find(row.name, version, store=store)[1]))
                except SecretError as error:
                    found.append(KnownSecret(row.name, store, None, error.problem))
        return tuple(found)

    def set(self, name: str, secret: Secret, *, store: str | None = None) -> str:
        """Keep a new version in ``store``, else in the one that is chosen for the name, and nowhere else.

        Raises:
            SecretError: the name or the value cannot be kept, or the write failed.
            UsageError: the store cannot be written.
        """
        check_name(name)
        target = self.target(name, store)
        return target.set(name, secret)

    def delete(self, name: str, *, store: str | None = None) -> None:
        """Remove every version from ``store``, else from the one store that has it.

        Raises:
            SecretNotFoundError: there is none.
            UsageError: several stores have it, or the one that has cannot be written.
        """
        self.holder(name, store).delete(name)

    def store(self, name: str) -> SecretStore:
        """The store of that name.

        Raises:
            UnknownNameError: there is none.
        """
        if name not in self._stores:
            raise UnknownNameError.among("secret store", name, self._stores)
        return self._stores[name]

    def target(self, name: str, store: str | None = None) -> WritableStore:
        """The store that a new version of ``name`` goes to."""
        return _writable(self.store(store or self._chosen(name)), name)

    def holder(self, name: str, store: str | None = None) -> WritableStore:
        """The one store that can be written and has ``name``."""
        asked = [self.store(store)] if store else list(self._stores.values())
        having = [each for each in asked if name in self._ask(each, each.names)]
        if not having:
            raise not_found(name, [known for each in asked for known in self._ask(each, each.names)])
        writable = [each for each in having if isinstance(each, WritableStore)]
        if len(writable) > 1:
            told = " and ".join(each.name for each in writable)
            raise UsageError(f"{name} is in {told}", hint=f"Choose one: --store {writable[0].name}.")
        return _writable((writable or having)[0], name)

    def before(self, name: str, store: str) -> tuple[str, ...]:
        """The stores that are asked before ``store`` and have ``name`` too: their value is what a read gets."""
        first = list(self._stores.values())[: list(self._stores).index(store)]
        return tuple(each.name for each in first if name in self._ask(each, each.names))

    def _ask(self, store: SecretStore, call: Callable[[], Answer]) -> Answer:
        """What a store answers, within the time limit; an error of its own names it."""
        answer: Future[Answer] = Future()

        def work() -> None:
            try:
                answer.set_result(call())
            except MloxError as error:
                answer.set_exception(error)
            finally:
                if not answer.done():
                    answer.set_exception(_broken_off(store))

        threading.Thread(target=work, name=f"mlox-secrets-{store.name}", daemon=True).start()
        try:
            return answer.result(self._limit_s)
        except SecretNotFoundError:
            raise
        except SecretError as error:
            if not error.problem.startswith(f"{store.name}: "):
                error.problem = f"{store.name}: {error.problem}"
            raise
        except TimeoutError as error:
            raise SecretError(
                f"{store.name}: no answer within {self._limit_s:g} s, so nobody knows what it holds",
                hint="Look whether its disk or its server answers, and try again.",
            ) from error


def _broken_off(store: SecretStore) -> InternalError:
    return InternalError(f"the secret store {store.name} broke off", hint="The traceback above says where.")


def _writable(store: SecretStore, name: str) -> WritableStore:
    if isinstance(store, WritableStore):
        return store
    raise UsageError(
        f"{name} would be written to {store.name}, which is only read", hint="Change the variable where it is set."
    )
