"""One store made of several: reads ask them in their order, a write goes to exactly one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import Literal, TypeVar, overload

from mlox.errors import InternalError, MloxError, SecretError, SecretNotFoundError, UnknownNameError, UsageError
from mlox.protocols import SecretStore, StoredSecret, WritableStore
from mlox.secret import Secret
from mlox.secret_stores.names import check_name, not_found

LIMIT_S = 10.0

Answer = TypeVar("Answer")


class Chain:
    """Several stores, the first that has a secret gives it; ``chosen`` names the one that a new secret goes to.

    Of those that can be written that one is asked first, so that what is set is what is read.
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
        asked = [self.store(store)] if store else self._in_order(name)
        answers = self._ask(asked, lambda each: each.get(name, version), first=True)
        if answers and isinstance(found := answers[-1], Secret):
            return asked[len(answers) - 1].name, found
        known = self._ask(asked, lambda each: each.names())
        for names, answer in zip(known, answers, strict=True):
            if name in names and isinstance(answer, SecretNotFoundError):
                raise answer
        raise not_found(name, sorted({one for names in known for one in names}))

    def names(self) -> tuple[str, ...]:
        """The names in all stores, sorted."""
        return tuple(sorted({name for names in self._names(self._stores.values()) for name in names}))

    def describe(self) -> tuple[StoredSecret, ...]:
        """Every secret as the first store that has it describes it, sorted by name."""
        found: dict[str, dict[str, StoredSecret]] = {}
        for store, secret in self.rows():
            found.setdefault(secret.name, {})[store] = secret
        firsts = {n: next(each.name for each in self._in_order(n) if each.name in found[n]) for n in found}
        return tuple(found[name][firsts[name]] for name in sorted(found))

    def rows(self) -> tuple[tuple[str, StoredSecret], ...]:
        """Every secret of every store, with the store's name, in the order in which they are asked."""
        described = self._ask(list(self._stores.values()), lambda each: each.describe())
        return tuple((name, row) for name, rows in zip(self._stores, described, strict=True) for row in rows)

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

    def recover(self) -> None:
        """Let every store that can be written clear up."""
        for store in self._stores.values():
            if isinstance(store, WritableStore):
                store.recover()

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
        known = self._names(asked)
        having = [each for each, names in zip(asked, known, strict=True) if name in names]
        if not having:
            raise not_found(name, sorted({one for names in known for one in names}))
        writable = [each for each in having if isinstance(each, WritableStore)]
        if len(writable) > 1:
            told = " and ".join(each.name for each in writable)
            raise UsageError(f"{name} is in {told}", hint=f"Choose one: --store {writable[0].name}.")
        return _writable((writable or having)[0], name)

    def before(self, name: str, store: str) -> tuple[str, ...]:
        """The stores that are asked before ``store`` and have ``name`` too: their value is what a read gets."""
        order = self._in_order(name)
        first = order[: order.index(self.store(store))]
        return tuple(each.name for each, names in zip(first, self._names(first), strict=True) if name in names)

    def _in_order(self, name: str) -> list[SecretStore]:
        """The stores in the order in which they are asked for ``name``."""
        stores = list(self._stores.values())
        chosen = self._stores.get(self._chosen(name))
        # To ask a protocol what an object is would take longer than to read a secret.
        place = next((number for number, each in enumerate(stores) if hasattr(each, "set")), 0)
        if chosen in stores[place + 1 :]:
            stores.remove(chosen)
            stores.insert(place, chosen)
        return stores

    def _names(self, stores: Iterable[SecretStore]) -> list[tuple[str, ...]]:
        return self._ask(list(stores), lambda each: each.names())

    @overload
    def _ask(self, stores: Sequence[SecretStore], call: Callable[[SecretStore], Answer]) -> list[Answer]: ...
    @overload
    def _ask(
        self, stores: Sequence[SecretStore], call: Callable[[SecretStore], Answer], *, first: Literal[True]
    ) -> list[Answer | SecretNotFoundError]: ...
    def _ask(
        self, stores: Sequence[SecretStore], call: Callable[[SecretStore], Answer], *, first: bool = False
    ) -> Sequence[object]:
        """What the stores answer, in their order, each within the time limit; an error of a store's own names it.

        With ``first`` it ends at the first that has what is asked for, and those before say that they have not.
        """
        answers: list[tuple[Answer | None, MloxError | None]] = []
        ended: SimpleQueue[None] = SimpleQueue()
        began_s = time.monotonic()

        def work() -> None:
            nonlocal began_s
            try:
                for store in stores:
                    began_s = time.monotonic()
                    try:
                        answers.append((call(store), None))
                    except MloxError as error:
                        answers.append((None, error))
                    if (first and answers[-1][1] is None) or not isinstance(answers[-1][1], SecretNotFoundError | None):
                        return
            finally:
                ended.put(None)

        threading.Thread(target=work, name="mlox-secrets", daemon=True).start()
        while True:
            try:
                ended.get(timeout=max(0.0, began_s + self._limit_s - time.monotonic()))
                break
            except Empty:
                if time.monotonic() < began_s + self._limit_s:
                    continue  # another store's turn has begun
                store = stores[min(len(answers), len(stores) - 1)]
                raise SecretError(
                    f"{store.name}: no answer within {self._limit_s:g} s, so nobody knows what it holds",
                    hint="Look whether its disk or its server answers, and try again.",
                ) from None
        found: list[object] = []
        for store, (answer, error) in zip(stores, answers, strict=False):
            if error is None and first:
                return [*found, answer]
            if error is not None and not (first and isinstance(error, SecretNotFoundError)):
                raise _named(error, store)
            found.append(answer if error is None else error)
        if len(found) < len(stores):
            raise _broken_off(stores[len(found)])
        return found


def _named(error: MloxError, store: SecretStore) -> MloxError:
    if isinstance(error, SecretError) and not error.problem.startswith(f"{store.name}: "):
        error.problem = f"{store.name}: {error.problem}"
    return error


def _broken_off(store: SecretStore) -> InternalError:
    return InternalError(f"the secret store {store.name} broke off", hint="The traceback above says where.")


def _writable(store: SecretStore, name: str) -> WritableStore:
    if isinstance(store, WritableStore):
        return store
    raise UsageError(
        f"{name} cannot be changed in {store.name}, which is only read", hint="Change the variable where it is set."
    )
