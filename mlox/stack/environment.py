"""What a client process gets from a service, and how this process takes it on and gives it back."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mlox.errors import ClientError, UsageError
from mlox.secret import Secret

Owner = tuple[str, str]
"""A service in this process: its stack's id and its name."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """A variable that ``use`` has set in this process: the value before, ours, and for which service."""

    before: str | None
    ours: str
    owner: Owner


_set: dict[str, _Setting] = {}


class Environment(Mapping[str, "str | Secret"]):
    """Environment variables of a client; those that hold a secret are :class:`Secret` values.

    ``preferences`` are those that only change the client's manners.
    ``prepare`` writes the files that some of them name.
    """

    def __init__(
        self,
        values: Mapping[str, str | Secret],
        preferences: frozenset[str] = frozenset(),
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._values = dict(values)
        self.preferences = preferences
        self._prepare = prepare

    def __getitem__(self, name: str) -> str | Secret:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Environment({self._values!r})"

    def reveal(self) -> dict[str, str]:
        """All values as plain text, for ``subprocess.run(..., env=...)``; the files that they name are there then."""
        self._prepare()
        return self.plain()

    def plain(self) -> dict[str, str]:
        """All values as plain text, and no file is written: for a look at them."""
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in self._values.items()}


@dataclass(frozen=True, slots=True)
class Used:
    """What ``use`` did with each variable: set by us, or left as the user has it."""

    set: tuple[str, ...]
    hidden: tuple[str, ...]
    kept: tuple[str, ...]


def use(environment: Environment, owner: Owner) -> Used:
    """Set the variables in this process. What the user has set wins; what is set is remembered for :func:`use_off`.

    Raises:
        UsageError: the user's own variables, or another service in use, point elsewhere; nothing was set.
    """
    values = environment.reveal()
    names = [name for name in values if name not in environment.preferences]
    others = [_set[name].owner[1] for name in names if _is_others(name, owner) and os.environ[name] != values[name]]
    if others:
        raise UsageError(
            f"{others[0]} is in use here, and its client reads the same variables as that of {owner[1]}; "
            "nothing was changed",
            hint=f"Give it back first: mlox use --off {others[0]}.",
        )
    foreign = [name for name in values if _is_users(name) and os.environ[name] != values[name]]
    clash = [name for name in foreign if name not in environment.preferences]
    if clash:
        raise UsageError(
            f"{', '.join(clash)} {'is' if len(clash) == 1 else 'are'} set here already, to something else than "
            f"{owner[1]}; "
            "nothing was changed",
            hint=f"Take it out first (del os.environ[{clash[0]!r}]), or go on with what it points to.",
        )
    chosen = [name for name in values if name not in foreign]
    for name in chosen:
        before = _set[name].before if name in _set else os.environ.get(name)
        _set[name] = _Setting(before, values[name], owner)
        os.environ[name] = values[name]
    hidden = tuple(name for name in chosen if isinstance(environment[name], Secret))
    return Used(tuple(chosen), hidden, tuple(foreign))


def in_use(owner: Owner) -> bool:
    """Whether this process uses a service."""
    return any(setting.owner == owner for setting in _set.values())


def use_off(owner: Owner | None = None) -> tuple[str, ...]:
    """Undo :func:`use`, of one service or of all: each variable as it was, unless the user has changed it since.

    Returns the names of the variables.
    """
    undone = []
    for name in [name for name, setting in _set.items() if owner in (None, setting.owner)]:
        setting = _set.pop(name)
        if os.environ.get(name) == setting.ours:
            undone.append(name)
            if setting.before is None:
                del os.environ[name]
            else:
                os.environ[name] = setting.before
    return tuple(undone)


def find_client(where: str, package: str) -> Callable[..., object]:
    """What makes the client object: ``module:callable``.

    Raises:
        ClientError: the package is not installed; the hint names it.
    """
    module, _, path = where.partition(":")
    try:
        found: object = importlib.import_module(module)
    except ImportError as error:
        raise ClientError(
            f"the client needs {package}, which is not installed here", hint=f"pip install {package}"
        ) from error
    for attribute in path.split("."):
        found = getattr(found, attribute)
    if not callable(found):
        raise ClientError(f"{where} cannot be called", hint=f"Install another version of {package}.")
    return found


def _is_users(name: str) -> bool:
    return name in os.environ and (name not in _set or os.environ[name] != _set[name].ours)


def _is_others(name: str, owner: Owner) -> bool:
    return name in _set and _set[name].owner != owner and os.environ.get(name) == _set[name].ours
