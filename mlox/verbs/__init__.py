"""The verbs: typed functions that every front end calls, and nothing else."""

from __future__ import annotations

import importlib

from mlox.errors import UnknownNameError, UsageError
from mlox.verbs.table import TABLE, Parameter, Verb

MODULES = (
    "both",
    "stack",
    "services",
    "exec",
    "why",
    "check",
    "drift",
    "history",
    "authoring",
    "compose",
    "secrets",
    "sharing",
    "rotate",
    "move",
    "scan",
)

FAMILIAR = {
    "ps": "status",
    "ls": "status",
    "list": "catalog",
    "stop": "down",
    "kill": "down",
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
    """Every verb by its name; a name may have two words (``secrets set``)."""
    for module in MODULES:
        importlib.import_module(f"mlox.verbs.{module}")
    return dict(TABLE)


def find_verb(words: list[str]) -> tuple[Verb, list[str]]:
    """The verb that ``words`` begin with, and the words after it.

    Raises:
        UsageError: there is none; the hint names the one that is meant.
    """
    verbs = all_verbs()
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if len(words) >= length and name in verbs:
            return verbs[name], words[length:]
        if name in FAMILIAR:
            raise UnknownNameError(f"unknown verb {name!r}", hint=f"It is called: mlox {FAMILIAR[name]}.")
    first = words[0]
    nouns = sorted(name for name in verbs if name.startswith(f"{first} "))
    if nouns:
        if len(words) > 1 and not words[1].startswith("-"):
            said = " ".join(words[: 3 if any(noun.startswith(f"{first} {words[1]} ") for noun in nouns) else 2])
            raise UnknownNameError.among("verb", said, nouns)
        raise UsageError(f"{first!r} needs to know what to do", hint=f"Say one of: {', '.join(nouns)}.")
    raise UnknownNameError.among("verb", first, verbs)
