"""The verbs: typed functions that every front end calls, and nothing else."""

from __future__ import annotations

import importlib

from mlox.errors import UnknownNameError, UsageError
from mlox.verbs.table import TABLE, Parameter, Verb

MODULES = (
    "both",
    "stack",
    "serve",
    "services",
    "watching",
    "logs",
    "exec",
    "why",
    "check",
    "drift",
    "history",
    "authoring",
    "registries",
    "publishing",
    "compose",
    "secrets",
    "sharing",
    "rotate",
    "move",
    "saving",
    "watch",
    "panels",
    "ui",
    "scan",
    "updates",
    "merge",
)

OFTEN = {"up": "stack", "down": "stack", "restart": "stack", "plan": "stack", "status": "services", "logs": "logs"}
"""Words that no two verbs begin with, and the module of their verb: what is run often need not load all others."""

FAMILIAR = {
    "ps": "status",
    "ls": "status",
    "list": "catalog",
    "stop": "down",
    "kill": "down",
    "top": "stats",
    "log": "logs",
    "rm": "remove",
    "delete": "remove",
    "uninstall": "remove",
    "start": "up",
    "deploy": "up",
    "install": "add",
    "apply": "up",
    "explain": "why",
    "describe": "why",
    "inspect": "why",
    "destroy": "down --purge",
    "registry ls": "registry list",
    "registry rm": "registry remove",
    "registry create": "registry new",
    "secret": "secrets",
    "secrets add": "secrets set",
    "secrets create": "secrets set",
    "secrets show": "secrets get",
    "secrets ls": "secrets list",
    "secrets rm": "secrets remove",
    "secrets delete": "secrets remove",
    "secrets export": "secrets key save",
    "secrets import": "secrets key load",
}
"""What users of other tools type, and what it is called here."""

__all__ = ["Parameter", "Verb", "all_verbs", "find_verb"]


def all_verbs() -> dict[str, Verb]:
    """Every verb by its name, in the order of modules; a name may have two words (``secrets set``)."""
    order = {f"mlox.verbs.{module}": place for place, module in enumerate(MODULES)}
    for module in order:
        importlib.import_module(module)
    return dict(sorted(TABLE.items(), key=lambda item: order.get(item[1].function.__module__, len(order))))


def find_verb(words: list[str]) -> tuple[Verb, list[str]]:
    """The verb that ``words`` begin with, and the words after it.

    Raises:
        UsageError: there is none; the hint names the one that is meant.
    """
    verbs = _verbs_of(words[0])
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if len(words) >= length and name in verbs:
            return verbs[name], words[length:]
        if name in FAMILIAR:
            raise UnknownNameError(f"unknown verb {name!r}", hint=f"It is called: mlox {FAMILIAR[name]}.")
    first = words[0]
    nouns = sorted(name for name in verbs if name.startswith(f"{first} "))
    below = [name for name in nouns if name.startswith(f"{' '.join(words[:2])} ")]
    if len(words) > 1 and below and (len(words) == 2 or words[2].startswith("-")):
        first, nouns, words = " ".join(words[:2]), below, words[1:]
    if nouns:
        if len(words) > 1 and not words[1].startswith("-"):
            said = " ".join(words[: 3 if any(noun.startswith(f"{first} {words[1]} ") for noun in nouns) else 2])
            raise UnknownNameError.among("verb", said, nouns)
        raise UsageError(f"{first!r} needs to know what to do", hint=f"Say one of: {', '.join(nouns)}.")
    raise UnknownNameError.among("verb", first, verbs)


def _verbs_of(first: str) -> dict[str, Verb]:
    """Every verb that begins with a word, among others."""
    if first not in OFTEN:
        return all_verbs()
    importlib.import_module(f"mlox.verbs.{OFTEN[first]}")
    return dict(TABLE)
