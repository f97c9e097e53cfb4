"""A case: what a service's own client writes and reads, and what the machine needs for it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.catalog import cases


@dataclass(frozen=True, slots=True)
class Case:
    """What proves one service.

    Attributes:
        write: a script of a user's. It gets its client as users do, ``mlox.get(NAME).client()``, and writes.
        read: another one: it prints what it finds, one line, the same as long as the data is the same.
        packages: what both import beside mlox, pinned: an environment of their own has it.
        images: by its name, the image of each service that goes to the engine, with those that it needs.
        path: a context whose value is the PATH on which its native programs are; it skips where they cannot be had.
        needs: services that are added before it, in order.
        options: ``--set`` of the service itself.
        prepare: what is put into the workspace before, such as files that an option names.
        heavy: by back end, what of it takes so many minutes to make that only the exhaustive run does.
        absent: by back end, why the service cannot be had on test machines: shown in the table.
    """

    write: str
    read: str
    packages: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    path: Callable[[], AbstractContextManager[str | None]] = nullcontext
    needs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda _: None
    heavy: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


def all_cases() -> dict[str, Case]:
    """Every case by the name of its service."""
    found: dict[str, Case] = {}
    for module in pkgutil.iter_modules(cases.__path__):
        found[module.name.replace("_", "-")] = importlib.import_module(f"{cases.__name__}.{module.name}").CASE
    return dict(sorted(found.items()))
