"""What may come next in a line that is being typed: verbs, options, names. Nothing is probed, nothing raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from mlox.errors import MloxError
from mlox.verbs import all_verbs
from mlox.verbs.completing_paths import paths
from mlox.verbs.grammar import global_options
from mlox.verbs.table import Parameter, Verb

if TYPE_CHECKING:
    from mlox.specs import CatalogService, OptionSpec
    from mlox.stack import Components
    from mlox.stack.surroundings import Surroundings

T = TypeVar("T")
Kind = Literal["verb", "option", "name", "value", "key"]

QUIET = (MloxError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What goes wrong in files that are being written; whoever types is not told of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may stand where the cursor is, from the begin of the word on."""

    text: str
    kind: Kind
    help: str = ""


class Names:
    """The names that a workspace has, read when they are asked for; empty where ``mlox.yaml`` is broken."""

    @classmethod
    def for_line(cls, words: Sequence[str]) -> Names:
        """Those of the workspace that a line is about: ``-C DIR`` may name another one."""
        places = [index for index, word in enumerate(words[:-2]) if word == "-C"]
        return cls(Path(words[places[0] + 1]) if places else None)

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @cached_property
    def _around(self) -> Surroundings:
        from mlox.specs import StackSpec
        from mlox.stack import Stack
        from mlox.stack.surroundings import Surroundings
        from mlox.workspace import Workspace

        try:
            return Stack(path=self._folder).surroundings()
        except QUIET:  # the catalog does not depend on it
            return Surroundings.of(Workspace.find(), StackSpec(name="unread"))

    @property
    def services(self) -> dict[str, str]:
        """The services of the stack, and what each is in the catalog."""
        return quietly(lambda: {name: spec.service for name, spec in self._around.spec.services.items()}, {})

    @property
    def catalog(self) -> tuple[str, ...]:
        """What can be deployed."""
        return quietly(lambda: tuple(self._around.catalog.names()), ())

    @cached_property
    def _components(self) -> Components:
        from mlox.stack import Components, Stack

        return Components(Stack(path=self._folder))

    @property
    def components(self) -> tuple[str, ...]:
        """What can be added to the repository."""
        return quietly(lambda: tuple(self._components.names()), ())

    @property
    def added(self) -> tuple[str, ...]:
        """The components of the repository, as they are written down."""
        from mlox.components import read_records

        return quietly(lambda: tuple(read_records(self._components.tree)), ())

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of secrets."""
        return quietly(lambda: self._around.secrets.names() if self._around.spec.id else (), ())

    @property
    def servers(self) -> tuple[str, ...]:
        """Where services can run."""
        from mlox.stack.server import known_servers

        return quietly(lambda: tuple(known_servers(self._around.spec.servers)), ())

    @property
    def profiles(self) -> tuple[str, ...]:
        """What ``--profile`` takes."""
        return quietly(lambda: tuple(self._around.spec.profiles), ())

    def entry(self, word: str) -> CatalogService | None:
        """The catalog's entry of a service, by its name in the stack or in the catalog."""
        kind = self.services.get(word, word)
        return quietly(lambda: self._around.catalog.get(kind).service, None)

    def options(self, word: str) -> Mapping[str, OptionSpec]:
        """The options of a service, or of a component."""
        entry = self.entry(word)
        return entry.options if entry else quietly(lambda: self._components.near_template(word).spec.options, {})

    def versions(self, kind: str) -> tuple[str, ...]:
        """Versions of a service that are known without asking anybody: the catalog's, and those of the stack."""
        entry = self.entry(kind)
        return quietly(lambda: tuple(dict.fromkeys([*([entry.version] if entry else []), *self._written(kind)])), ())

    def _written(self, kind: str) -> list[str]:
        return [s.version for s in self._around.spec.services.values() if s.service == kind and s.version]


def quietly(look: Callable[[], T], otherwise: T) -> T:
    """What ``look`` answers, or ``otherwise`` where something is wrong."""
    try:
        return look()
    except QUIET:
        return otherwise


def complete(words: Sequence[str], names: Names) -> tuple[Candidate, ...]:
    """What the last of ``words`` may become; it may be empty, where a new word begins.

    Example:
        >>> [candidate.text for candidate in complete(["secrets", "re"], Names())]
        ['remove']
    """
    *before, partial = list(words) or [""]
    found, rest, waiting = _so_far(before)
    if waiting:
        return _starting(partial, _values(waiting, found, rest, names))
    if found is None:
        return _starting(partial, _flags(None, before) if partial.startswith("-") else _verbs(rest))
    if "--" in rest:
        return ()
    if partial.startswith("--") and "=" in partial:
        flag, _, value = partial.partition("=")
        values = _starting(value, _values(flag, found, rest, names))
        return tuple(Candidate(f"{flag}={one.text}", one.kind, one.help) for one in values)
    if partial.startswith("-"):
        return _starting(partial, _flags(found, rest))
    further = _verbs(found.name.split()) if not rest else []
    return _starting(partial, [*_positional(found, rest, partial, names), *further] or _flags(found, rest))


def option_values(option: OptionSpec) -> list[str]:
    """What an option can be set to, where that can be listed."""
    if option.type == "boolean":
        return ["true", "false"]
    return [str(value) for value in (option.choices or ([] if option.default is None else [option.default]))]


def _starting(partial: str, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    unique: dict[str, Candidate] = {}
    for candidate in candidates:
        unique.setdefault(candidate.text, candidate)
    return tuple(one for one in unique.values() if one.text.startswith(partial) and one.text != partial)


def _so_far(before: Sequence[str]) -> tuple[Verb | None, list[str], str]:
    """The verb of the words so far, the words after it, and the option that waits for its value."""
    verbs = all_verbs()
    words: list[str] = []
    waiting = ""
    taking = {flag for flags, takes, _ in global_options() if takes for flag in flags}
    for word in before:
        if waiting:
            waiting = ""
        elif word in taking and not words:
            waiting = word
        elif words or not word.startswith("-"):
            words.append(word)
    for length in (2, 1):
        verb = verbs.get(" ".join(words[:length])) if len(words) >= length else None
        if verb is not None:
            rest = words[length:]
            own = {p.flag for p in verb.parameters if p.flag and p.shape != "flag"}
            return verb, rest, rest[-1] if rest and rest[-1] in own | taking else ""
    return None, words, waiting


def _verbs(words: list[str]) -> list[Candidate]:
    """The next word of the verbs that begin with ``words``."""
    depth = len(words)
    return [
        Candidate(name.split()[depth], "verb", verb.summary if depth + 1 == len(name.split()) else "")
        for name, verb in sorted(all_verbs().items())
        if name.split()[:depth] == words and len(name.split()) > depth
    ]


def _flags(verb: Verb | None, rest: Sequence[str]) -> list[Candidate]:
    own = [
        (p.flag, p.help)
        for p in (verb.parameters if verb else ())
        if p.flag and (p.shape == "many" or p.flag not in rest)
    ]
    everywhere = [(flags[-1], text) for flags, _, text in global_options() if not set(flags) & set(rest)]
    return [Candidate(flag, "option", text) for flag, text in (*own, *everywhere)]


def _positional(verb: Verb, rest: Sequence[str], partial: str, names: Names) -> Iterable[Candidate]:
    places = [p for p in verb.parameters if not p.flag and p.shape != "rest"]
    given = _arguments(verb, rest)
    if not places or (len(given) >= len(places) and places[-1].shape != "many"):
        return
    parameter = places[min(len(given), len(places) - 1)]
    source = _source(verb, parameter)
    if parameter.name == "file":
        yield from (Candidate(path, "name") for path in paths(partial))
    elif source == "verbs":
        yield from _verbs(given)
    elif source == "secrets":
        yield from (Candidate(name, "name") for name in names.secrets)
    elif source in ("services", "catalog"):
        known = {name: f"{kind} of this stack" for name, kind in names.services.items() if name not in given}
        yield from (Candidate(name, "name", text) for name, text in known.items())
    if "component" in parameter.help and not given:
        yield from (Candidate(name, "name", "component of this repository") for name in names.added)
    if source == "catalog":
        if "component" in parameter.help:
            yield from (Candidate(name, "name", "component") for name in names.components if name not in names.added)
        kind, at, _ = partial.partition("@")
        yield from (Candidate(name, "name", "in the catalog") for name in names.catalog if name not in given)
        yield from (Candidate(f"{kind}@{version}", "name") for version in (names.versions(kind) if at else ()))


def _source(verb: Verb, parameter: Parameter) -> str:
    """Whose names an argument takes, by what its help calls it."""
    text = parameter.help.lower()
    if verb.group == "secrets" or "secret" in text:
        return "secrets" if parameter.name.startswith("name") else ""
    if "verb" in text:
        return "verbs"
    if "catalog" in text or "new ones" in text:
        return "catalog"
    return "services" if "service" in text or "in the stack" in text else ""


def _arguments(verb: Verb, rest: Sequence[str]) -> list[str]:
    """The words of ``rest`` that are arguments, not options or their values."""
    valued = {p.flag for p in verb.parameters if p.flag and p.shape != "flag"}
    valued |= {flag for flags, takes, _ in global_options() if takes for flag in flags}
    return [
        word
        for index, word in enumerate(rest)
        if not word.startswith("-") and not (index and rest[index - 1] in valued)
    ]


def _values(flag: str, verb: Verb | None, rest: Sequence[str], names: Names) -> list[Candidate]:
    """What an option may be set to."""
    if flag == "--set" and verb is not None:
        return _assignments(_arguments(verb, rest), names)
    if flag == "--needs" and verb is not None:
        return _wirings(_arguments(verb, rest), names)
    known: dict[str, tuple[str, ...]] = {"--backend": ("native", "docker"), "--completion": ("bash", "zsh", "fish")}
    if flag == "--profile":
        known[flag] = names.profiles
    if flag == "--on" or (flag == "--to" and verb is not None and verb.group == "stack"):
        known[flag] = names.servers
    if flag == "--from":
        known[flag] = names.catalog
    return [Candidate(name, "value") for name in known.get(flag, ())]


def _assignments(services: Sequence[str], names: Names) -> list[Candidate]:
    """``name=`` for each option of a service, and ``name=value`` where the values can be listed."""
    found = []
    for name, option in names.options(services[0].partition("@")[0] if services else "").items():
        found.append(Candidate(f"{name}=", "option", option.help))
        found += [Candidate(f"{name}={value}", "value", option.help) for value in option_values(option)]
    return found


def _wirings(services: Sequence[str], names: Names) -> list[Candidate]:
    """``need=service`` for each need of a service and each of the stack that could meet it, and ``need=embedded``."""
    from mlox.specs import EMBEDDED

    entry = names.entry(services[0].partition("@")[0]) if services else None
    found = []
    for name, need in (entry.needs if entry else {}).items():
        offers = {other: names.entry(kind) for other, kind in names.services.items()}
        fit = [other for other, offer in offers.items() if offer is not None and need.capability in offer.provides]
        own = [EMBEDDED] if need.embedded is not None else []
        found += [Candidate(f"{name}={other}", "value", need.help) for other in (*fit, *own)]
    return found
