"""One plugin: its name, its version, and how it is loaded. Nothing of it is imported before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from .errors import BrokenPluginError, IncompatiblePluginError

T = TypeVar("T")


@dataclass
class Plugin(Generic[T]):
    """``requires`` is the range of the interface's versions that it is written for, ``>=1.2,<2``; empty: any.

    One from an entry point says that in an attribute ``requires_api`` of what it loads. ``origin`` tells where it
    comes from. Loaded once, whoever asks first; a failure is told again to whoever asks again.
    """

    name: str
    origin: str
    load: Callable[[], object]
    version: str = ""
    requires: str = ""
    _loaded: list[object] = field(default_factory=list, init=False, repr=False)
    # Of the thread that has it: a plugin may ask for others while it is loaded.
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False, compare=False)

    @property
    def loaded(self) -> bool:
        """Whether somebody has asked for it."""
        return bool(self._loaded)

    def object(self) -> object:
        """What it is.

        Raises:
            BrokenPluginError: it cannot be loaded.
        """
        with self._lock:
            if not self._loaded:
                try:
                    self._loaded.append(self.load())
                except Exception as error:  # the code of others may raise anything when it is imported
                    told = f"{type(error).__name__}: {error}"
                    raise BrokenPluginError(f"{self.name} ({self.origin}) cannot be loaded: {told}") from error
            return self._loaded[0]

    def check_version(self, wanted: str) -> None:
        """Raise an :class:`IncompatiblePluginError` where its version is not in the range ``wanted``."""
        if wanted and not _fits(self.version, wanted, self.name):
            told = self.version or "not told"
            raise IncompatiblePluginError(f"{self.name} ({self.origin}): its version is {told}, wanted is {wanted}")

    def check_interface(self, api: str) -> None:
        """Raise an :class:`IncompatiblePluginError` where it is for another version of the interface than ``api``."""
        declared = getattr(self._loaded[0], "requires_api", "") if self._loaded and not self.requires else self.requires
        if declared and not _fits(api, declared, self.name):
            raise IncompatiblePluginError(
                f"{self.name} ({self.origin}) is for versions {declared} of the interface, and this is {api}"
            )


def _fits(version: str, wanted: str, name: str) -> bool:
    try:
        return bool(version) and SpecifierSet(wanted).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion) as error:
        raise IncompatiblePluginError(f"{name}: {error}") from error
