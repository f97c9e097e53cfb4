"""What a client process gets from a service, and how this process takes it on and gives it back."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlox.errors import ClientError, UsageError
from mlox.secret import Secret

_set: dict[str, tuple[str | None, str]] = {}
"""What ``use`` has set in this process: the value before, and ours."""


class Environment(Mapping[str, "str | Secret"]):
    """Environment variables of a client; those that hold a secret are :class:`Secret` values.

    ``preferences`` are those that only change the client's manners.
    """

    def __init__(self, values: Mapping[str, str | Secret], preferences: frozenset[str] = frozenset()) -> None:
        self._values = dict(values)
        self.preferences = preferences

    def __getitem__(self, name: str) -> str | Secret:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Environment({self._values!r})"

    def reveal(self) -> dict[str, str]:
        """All values as plain text, for ``subprocess.run(..., env=...)``."""
        return {name: value.reveal() if isinstance(value, Secret) else value for name, value in self._values.items()}


@dataclass(frozen=True, slots=True)
class Used:
    """What ``use`` did with each variable: set by us, or left as the user has it."""

    set: tuple[str, ...]
    hidden: tuple[str, ...]
    kept: tuple[str, ...]


def use(environment: Environment, *, who: str) -> Used:
    """Set the variables in this process. What the user has set wins; what is set is remembered for :func:`use_off`.

    Raises:
        UsageError: the user's own variables point to another service; nothing was set.
    """
    values = environment.reveal()
    foreign = [name for name in values if _is_users(name) and os.environ[name] != values[name]]
    clash = [name for name in foreign if name not in environment.preferences]
    if clash:
        raise UsageError(
            f"{', '.join(clash)} {'is' if len(clash) == 1 else 'are'} set here already, to something else than {who}; "
            "nothing was changed",
            hint=f"Take it out first (del os.environ[{clash[0]!r}]), or go on with what it points to.",
        )
    chosen = [name for name in values if name not in foreign]
    for name in chosen:
        before = _set[name][0] if name in _set else os.environ.get(name)
        _set[name] = (before, values[name])
        os.environ[name] = values[name]
    hidden = tuple(name for name in chosen if isinstance(environment[name], Secret))
    return Used(tuple(chosen), hidden, tuple(foreign))


def use_off(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """Undo :func:`use`: each variable as it was, unless the user has changed it since. Returns what was undone."""
    undone = []
    for name in list(_set if names is None else names):
        if name not in _set:
            continue
        before, ours = _set.pop(name)
        if os.environ.get(name) == ours:
            undone.append(name)
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before
    return tuple(undone)


def make_client(where: str, package: str, arguments: Mapping[str, str]) -> object:
    """The client object ``module:callable`` made with ``arguments``.

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
    return found(**arguments)


def _is_users(name: str) -> bool:
    return name in os.environ and (name not in _set or os.environ[name] != _set[name][1])
