"""The plugins of one kind, by name."""

from __future__ import annotations

import difflib
import inspect
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeGuard, TypeVar, cast

from .errors import BrokenPluginError, DuplicatePluginError, PluginError, UnknownPluginError
from .plugin import Plugin

T = TypeVar("T")
PluginT = TypeVar("PluginT")

Check = Callable[[object], TypeGuard[T]]


class Registry(Generic[T]):
    """Plugins that are a ``T`` each: classes, functions or objects, as ``check`` says.

    ``api`` is the version of the interface between them and who uses them. ``group`` is the group of entry points in
    which installed distributions offer theirs; it is read when somebody first asks, and nothing is imported by that.

    Example::

        models: Registry[type[Model]] = Registry("models", subclass_of(Model), api="1.2", group="shop.models")

        @models.register("forest", requires=">=1.0,<2")
        class Forest(Model): ...

        models.get("forest")(depth=3)
    """

    def __init__(self, name: str, check: Check[T], *, api: str = "1.0", group: str | None = None) -> None:
        self.name, self.check, self.api, self.group = name, check, api, group
        self._plugins: dict[str, Plugin[T]] = {}
        self._lock = threading.RLock()
        self._discovered = group is None
        self._clashes: list[PluginError] = []

    def register(self, name: str, *, version: str = "", requires: str = "") -> Callable[[PluginT], PluginT]:
        """A decorator that makes a class or a function of this project a plugin; it is handed back as it is.

        Raises:
            DuplicatePluginError: there is one of that name already.
            BrokenPluginError: it is not what the registry holds.
        """

        def registered(plugin: PluginT) -> PluginT:
            origin = f"{getattr(plugin, '__module__', '?')}:{getattr(plugin, '__qualname__', name)}"
            found: object = plugin
            if not self.check(found):
                raise BrokenPluginError(self._wrong(name, origin, found))
            self._add(Plugin(name, origin, lambda: plugin, version, requires))
            return plugin

        return registered

    def register_lazily(self, name: str, reference: str, *, version: str = "", requires: str = "") -> None:
        """Make ``module:attribute`` a plugin, which is imported when it is asked for.

        Raises:
            DuplicatePluginError: there is one of that name already.
        """
        self._add(Plugin(name, reference, EntryPoint(name, reference, "").load, version, requires))

    def get(self, name: str, version: str = "") -> T:
        """The plugin, loaded and checked; ``version`` is the range that its own version has to be in.

        Raises:
            UnknownPluginError: there is none of that name.
            IncompatiblePluginError: it is of another version, or for another one of the interface.
            BrokenPluginError: it cannot be loaded, or is not what the registry holds.
        """
        plugin = self.plugin(name)
        plugin.check_version(version)
        plugin.check_interface(self.api)  # before it is imported, where it has told
        found = plugin.object()
        plugin.check_interface(self.api)
        if not self.check(found):
            raise BrokenPluginError(self._wrong(name, plugin.origin, found))
        return found

    def plugin(self, name: str) -> Plugin[T]:
        """What is known of a plugin without loading it.

        Raises:
            UnknownPluginError: there is none of that name.
        """
        self._discover()
        with self._lock:
            if name in self._plugins:
                return self._plugins[name]
            names = sorted(self._plugins)
        near = difflib.get_close_matches(name, names, n=1)
        told = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names) or 'none'}"
        raise UnknownPluginError(f"{self.name}: there is no plugin {name!r}; {told}")

    def names(self) -> list[str]:
        """The names of all, sorted; nothing is loaded."""
        self._discover()
        with self._lock:
            return sorted(self._plugins)

    def check_all(self) -> list[PluginError]:
        """Load all of them, and tell what is wrong, names that clash too: for a test, or at the start of a service."""
        found: list[PluginError] = []
        for name in self.names():
            try:
                self.get(name)
            except PluginError as error:
                found.append(error)
        return [*self._clashes, *found]

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def _add(self, plugin: Plugin[T]) -> None:
        with self._lock:
            there = self._plugins.setdefault(plugin.name, plugin)
        if there is not plugin:
            told = f"{there.origin} has that name, and {plugin.origin} asks for it"
            raise DuplicatePluginError(f"{self.name}: two plugins {plugin.name!r}: {told}")

    def _discover(self) -> None:
        """Take in what installed distributions offer, once. A name that the project has itself stays the project's."""
        with self._lock:
            if self._discovered:
                return
            self._discovered = True
            for point in sorted(entry_points(group=self.group or ""), key=lambda one: (one.name, one.value)):
                version = point.dist.version if point.dist else ""
                origin = f"{point.value} of {point.dist.name} {version}" if point.dist else point.value
                if any(one.origin == origin for one in self._plugins.values()):
                    continue  # a distribution that stands on the path twice
                try:
                    self._add(Plugin(point.name, origin, point.load, version))
                except DuplicatePluginError as error:
                    self._clashes.append(error)

    def _wrong(self, name: str, origin: str, found: object) -> str:
        wanted = getattr(self.check, "wanted", "what the registry holds")
        what = found.__qualname__ if inspect.isclass(found) else type(found).__name__
        return f"{self.name}: {name} ({origin}) is {what}, which is not {wanted}"


def subclass_of(base: Callable[..., T]) -> Check[type[T]]:
    """Plugins are classes below ``base``, with nothing left abstract."""
    # A class is asked for as what it makes: type checkers refuse an abstract one as type[T].
    if not inspect.isclass(base):
        raise TypeError(f"{base!r} is no class")

    def check(found: object) -> TypeGuard[type[T]]:
        return inspect.isclass(found) and issubclass(found, base) and not inspect.isabstract(found)

    return _told(check, f"a whole subclass of {base.__qualname__}")


def with_methods(*names: str) -> Check[T]:
    """Plugins are whatever has these methods: for protocols, where nobody inherits."""

    def check(found: object) -> TypeGuard[T]:
        return all(callable(getattr(found, name, None)) for name in names)

    return _told(check, f"something with {', '.join(names)}")


def _told(check: Callable[[object], bool], wanted: str) -> Check[T]:
    """The same check, which says in an error what it wants."""
    check.wanted = wanted  # type: ignore[attr-defined]
    return cast("Check[T]", check)
