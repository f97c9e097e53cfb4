"""What may come next in a YAML stack that is being typed in a cell: keys by the schema, names, options and choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlox.specs import EMBEDDED, ServiceSpec
from mlox.specs.model import Spec
from mlox.verbs.completing import Candidate, Names, option_values
from mlox.verbs.outline import outline, place

if TYPE_CHECKING:
    from mlox.specs import CatalogService

TAGS = ("!py ", "!secret ")
PLAIN = (bool, int, float, str, Mapping)
"""What of the notebook's variables a stack can hold."""

Path = tuple[str, ...]


def complete_body(
    text: str, row: int, column: int, names: Names, *, variables: Mapping[str, object], environment: Iterable[str]
) -> tuple[str, tuple[Candidate, ...]]:
    """The part before the cursor that is completed, and what it may become.

    Args:
        text: the YAML as it stands; ``row`` and ``column`` count from 0.
        variables: what ``!py`` may name. ``environment``: what ``${...}`` may.

    Example:
        >>> complete_body("serv", 0, 4, Names(), variables={}, environment=())[1][0].text
        'services:'
    """
    lines = text.split("\n")
    found = place(lines, row, column)
    if found is None:
        return "", ()
    if found.in_value and (special := _special(found.partial, names, variables, environment)) is not None:
        partial, candidates = special
    else:
        partial = found.partial
        own = lines[row] if found.in_value or "{" in lines[row] else ""  # a key that is being typed is none yet
        body = _Body(outline([*lines[:row], own, *lines[row + 1 :]]), names)
        candidates = body.values(found.path) if found.in_value else body.keys(found.path)
    return partial, tuple(c for c in candidates if c.text.startswith(partial) and c.text.strip() != partial)


def kind_at(text: str, row: int, column: int, names: Names) -> str:
    """The catalog's name of the service at the cursor; empty where there is none."""
    lines = text.split("\n")
    found = place(lines, row, column)
    words = re.findall(r"[\w-]+", lines[row]) if found is not None and len(found.path) == 1 else []
    path = (*found.path, *words[:1]) if found is not None else ()
    return _Body(outline(lines), names).kind(path[1]) if len(path) > 1 and path[0] == "services" else ""


def _special(
    partial: str, names: Names, variables: Mapping[str, object], environment: Iterable[str]
) -> tuple[str, list[Candidate]] | None:
    """Variables of the environment and of the notebook, and names of secrets: they may stand in any value."""
    opened = re.search(r"\$\{?[A-Za-z_]?\w*$", partial)
    if opened is not None:
        return opened.group(), [
            Candidate(f"${{{name}}}", "value", "of the environment") for name in sorted(environment)
        ]
    tagged = re.fullmatch(r"!(py|secret)\s+(\S*)", partial)
    if tagged is None:
        return (partial, [Candidate(tag, "key") for tag in TAGS]) if partial.startswith("!") else None
    if tagged.group(1) == "secret":
        return tagged.group(2), [Candidate(name, "name") for name in names.secrets]
    kept = sorted(name for name, value in variables.items() if not name.startswith("_") and isinstance(value, PLAIN))
    return tagged.group(2), [Candidate(name, "name", "of this notebook") for name in kept]


class _Body:
    """The keys of a stack, and what may stand below and behind them."""

    def __init__(self, found: Mapping[Path, str], names: Names) -> None:
        self.found = found
        self.names = names

    def keys(self, path: Path) -> list[Candidate]:
        """What may be a key below ``path``; those that stand there are left out."""
        there = {key[-1] for key in self.found if key[:-1] == path}
        return [one for one in self._keys(path) if one.text.partition(":")[0] not in there]

    def values(self, path: Path) -> list[Candidate]:
        """What may be the value of the key at the end of ``path``."""
        service = self.kind(path[1]) if len(path) > 1 else ""
        entry = self.names.entry(service) if service else None
        match path:
            case ("services", _):
                return self._kinds()
            case ("services", _, "service"):
                return [Candidate(name, "name") for name in self.names.catalog]
            case ("services", _, "version"):
                return [Candidate(f'"{version}"', "value") for version in self.names.versions(service)]
            case ("services", _, "server"):
                return [Candidate(name, "name") for name in self.names.servers]
            case ("services", name, "needs", need) if entry is not None and need in entry.needs:
                return self._providers(name, entry, need)
            case ("services", _, "options", option) if entry is not None and option in entry.options:
                spec = entry.options[option]
                return [Candidate(_quoted(value, spec.type), "value", spec.help) for value in option_values(spec)]
            case ("services", _, "ports", port) if entry is not None and port in entry.ports:
                return [Candidate(str(entry.ports[port].port), "value", entry.ports[port].help)]
        return []

    def kind(self, name: str) -> str:
        """What a service of the cell is in the catalog."""
        written = self.found.get(("services", name, "service"), "")
        shorthand = self.found.get(("services", name), "")
        inline = re.search(r"\bservice:\s*([\w-]+)", shorthand)
        if inline is not None:
            return inline.group(1)
        if shorthand and not shorthand.startswith("{"):
            return shorthand.partition("@")[0]
        return written or self.names.services.get(name, name)

    def _keys(self, path: Path) -> list[Candidate]:
        entry = self.names.entry(self.kind(path[1])) if len(path) > 1 else None
        sections: Mapping[str, Callable[[CatalogService], Mapping[str, Spec]]] = {
            "options": lambda entry: entry.options,
            "needs": lambda entry: entry.needs,
            "ports": lambda entry: entry.ports,
        }
        match path:
            case ():
                return [Candidate("services:", "key"), Candidate("name: ", "key")]
            case ("services",):
                known = dict.fromkeys((*self.names.services, *self.names.catalog))
                return [Candidate(f"{name}:", "name") for name in known]
            case ("services", _):
                return [Candidate(f"{key}:{'' if key in sections else ' '}", "key") for key in ServiceSpec.model_fields]
            case ("services", _, section) if section in sections and entry is not None:
                found = sections[section](entry)
                return [Candidate(f"{key}: ", "key", str(getattr(spec, "help", ""))) for key, spec in found.items()]
        return []

    def _kinds(self) -> list[Candidate]:
        """The shorthand: ``NAME``, or ``NAME@VERSION``."""
        kinds = self.names.catalog
        versions = [f"{kind}@{version}" for kind in kinds for version in self.names.versions(kind)]
        return [Candidate(text, "name") for text in (*kinds, *versions)]

    def _providers(self, name: str, entry: CatalogService, need: str) -> list[Candidate]:
        """Services of the cell and of the stack that offer what the need asks for."""
        here = [path[1] for path in self.found if len(path) == 2 and path[0] == "services"]
        known = dict.fromkeys((*here, *self.names.services))
        offers = {other: self.names.entry(self.kind(other)) for other in known if other != name}
        capability = entry.needs[need].capability
        fit = [other for other, one in offers.items() if one is not None and capability in one.provides]
        own = [EMBEDDED] if entry.needs[need].embedded is not None else []
        return [Candidate(text, "name") for text in (*fit, *own)]


def _quoted(value: str, kind: str) -> str:
    """A text that YAML would read as something else gets its quotation marks."""
    words: Sequence[str] = ("yes", "no", "on", "off", "true", "false", "null")
    plain = kind != "string" or (re.fullmatch(r"[A-Za-z][\w./-]*", value) and value.lower() not in words)
    return value if plain else f'"{value}"'
