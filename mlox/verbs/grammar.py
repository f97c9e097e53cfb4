"""How words become a call: one grammar for the shell and the magics, derived from the verbs' signatures."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from mlox import __version__
from mlox.errors import UsageError, nearest
from mlox.verbs import all_verbs, find_verb
from mlox.verbs.table import GROUPS, Parameter, Verb


@dataclass(frozen=True, slots=True)
class Options:
    """The global options."""

    json: bool = False
    yes: bool = False
    dry_run: bool = False
    folder: Path | None = None
    profile: str | None = None
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A verb with its arguments; ``help`` is set instead where help was asked for."""

    options: Options
    verb: Verb | None = None
    arguments: dict[str, Any] | None = None
    help: str = ""


class _Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are ours, and that never ends the process."""

    def __init__(self, prog: str, flags: Sequence[str] = (), description: str | None = None) -> None:
        super().__init__(prog=prog, description=description, add_help=False, allow_abbrev=False)
        self.own = frozenset(flags)
        self.flags = [*flags, *(flag for names, _ in _GLOBAL for flag in names)]

    def error(self, message: str) -> NoReturn:
        raise _explained(message, self)


Program = Literal["mlox", "mlx"]
OF_COMPONENTS = ("both", "components")
"""The groups of verbs that ``mlx`` offers."""

_MLX = {"list": "catalog"}
_ABOUT = {
    "mlox": "Real MLOps services from a notebook cell, a script or the shell.",
    "mlx": "Components: source code for your repository, yours to edit and still updatable. The same verbs as in mlox.",
}

_GLOBAL: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--json",), {"action": "store_true", "help": "print one JSON object"}),
    (("-y", "--yes"), {"action": "store_true", "help": "answer questions with yes"}),
    (("--dry-run",), {"action": "store_true", "help": "only tell what would be done"}),
    (("-C",), {"dest": "folder", "metavar": "DIR", "type": Path, "help": "work in this folder"}),
    (("--profile",), {"metavar": "NAME", "help": "lay this profile of mlox.yaml over it (MLOX_PROFILE)"}),
    (("-q", "--quiet"), {"action": "store_true", "help": "no progress"}),
    (("-v", "--verbose"), {"action": "store_true", "help": "say more"}),
    (("--version",), {"action": "store_true", "help": "print the version"}),
    (("-h", "--help"), {"action": "store_true", "help": "show this help"}),
)


def parse(words: Sequence[str], program: Program = "mlox") -> Call:
    """What ``words`` (without the program's name) ask for; ``mlx`` has the verbs of components only.

    Raises:
        UsageError: they fit no verb; the hint names the nearest word.
    """
    before, rest = _split(list(words))
    top = _with_globals(_Parser(program)).parse_args(before)
    if vars(top).get("version"):
        return Call(_options(vars(top)), help=f"mlox {__version__}")
    if not rest:
        return Call(_options(vars(top)), help=overview(program))
    asked = vars(top).get("help", False) or not {"-h", "--help"}.isdisjoint(_before(rest, "--"))
    if asked and (text := noun_usage(_before(rest, "-h", "--help"), program)):
        return Call(_options(vars(top)), help=text)
    found, remaining = find_verb([_MLX.get(rest[0], rest[0]) if program == "mlx" else rest[0], *rest[1:]])
    if program == "mlx" and found.group not in OF_COMPONENTS and found.name != "help":
        raise UsageError(f"{found.name} is no verb of components", hint=f"Say: mlox {found.name}.")
    parser = _verb_parser(found)
    command: tuple[str, ...] = ()
    if any(p.shape == "rest" for p in found.parameters) and "--" in remaining:
        cut = remaining.index("--")
        remaining, command = remaining[:cut], tuple(remaining[cut + 1 :])
    if asked:
        return Call(_options(vars(top)), help=usage(found))
    values = {**vars(top), **vars(parser.parse_intermixed_args(remaining))}
    if values.get("version") is True:
        return Call(_options(values), help=f"mlox {__version__}")
    arguments: dict[str, Any] = {}
    for parameter in found.parameters:
        if parameter.shape == "rest":
            arguments[parameter.name] = command
        elif (value := values.get(parameter.name)) is not None:
            arguments[parameter.name] = tuple(value) if parameter.shape == "many" else value
    return Call(_options(values), found, arguments)


def usage(verb: Verb) -> str:
    """The help of one verb."""
    parser = _verb_parser(verb)
    for parameter in verb.parameters:
        if parameter.shape == "rest":
            name = parameter.name.upper()
            parser.usage = f"{parser.format_usage().removeprefix('usage: ').strip()} -- {name} ..."
            parser.epilog = f"{name}: {parameter.help}, behind --"
    return parser.format_help().strip()


def noun_usage(words: Sequence[str], program: Program = "mlox") -> str:
    """The help of a noun that is no verb by itself, such as ``secrets``: its verbs; empty where it is none.

    Example:
        >>> print(noun_usage(["export"]))
        usage: mlox export VERB ...
        <BLANKLINE>
          export compose  Write the services as a Compose file to standard output; secrets by the names of ...
        <BLANKLINE>
        mlox help export VERB tells more about one.
    """
    noun, verbs = " ".join(words), all_verbs()
    below = [verb for name, verb in verbs.items() if name.startswith(f"{noun} ")] if noun not in verbs else []
    if not below:
        return ""
    width = max(len(verb.name) for verb in below) + 2
    rows = [f"  {verb.name:<{width}}{verb.summary}" for verb in below]
    return "\n".join(
        [f"usage: {program} {noun} VERB ...", "", *rows, "", f"{program} help {noun} VERB tells more about one."]
    )


def global_options() -> tuple[tuple[tuple[str, ...], bool, str], ...]:
    """The options of every verb: how each is written, whether it takes a value, its help."""
    return tuple((flags, "metavar" in settings, settings["help"]) for flags, settings in _GLOBAL)


def overview(program: Program = "mlox") -> str:
    """All verbs of a program, by group, and the global options."""
    lines = [f"usage: {program} [options] VERB ...", "", _ABOUT[program], ""]
    verbs = all_verbs()
    width = max(map(len, verbs)) + 2
    for group, title in GROUPS.items():
        if program == "mlx" and group not in OF_COMPONENTS:
            continue
        lines += [f"{title}:", *(f"  {v.name:<{width}}{v.summary}" for v in verbs.values() if v.group == group), ""]
    lines.append("options:")
    for flags, settings in _GLOBAL:
        shown = ", ".join(flags) + (f" {settings['metavar']}" if "metavar" in settings else "")
        lines.append(f"  {shown:<{width}}{settings['help']}")
    lines += ["", f"{program} help VERB tells more about one."]
    return "\n".join(lines)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The global options in front of the verb, and the rest."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] in ("-C", "--profile") else 1
    return words[:index], words[index:]


def _before(words: list[str], *ends: str) -> list[str]:
    """The words in front of the first of ``ends``."""
    return list(itertools.takewhile(lambda word: word not in ends, words))


def _with_globals(parser: _Parser) -> _Parser:
    group = parser.add_argument_group("options everywhere")
    for flags, settings in _GLOBAL:
        if parser.own.isdisjoint(flags):  # the --version of `secrets get` is the secret's
            group.add_argument(*flags, default=argparse.SUPPRESS, **settings)
    return parser


def _verb_parser(verb: Verb) -> _Parser:
    parser = _Parser(f"mlox {verb.name}", [p.flag for p in verb.parameters if p.flag], verb.summary)
    for parameter in verb.parameters:
        _add(parser, parameter)
    return _with_globals(parser)


def _add(parser: _Parser, parameter: Parameter) -> None:
    if parameter.shape == "rest":
        return
    kind = int if parameter.number else str
    metavar = parameter.name.rstrip("_").upper()
    help_text = parameter.help.replace("%", "%%")  # argparse fills it in like a format
    if not parameter.flag:
        shapes: dict[str, dict[str, Any]] = {"maybe": {"nargs": "?"}, "many": {"nargs": "*", "default": ()}}
        settings = shapes.get(parameter.shape, {})
        parser.add_argument(parameter.name, metavar=metavar, help=help_text, type=kind, **settings)
    elif parameter.shape == "flag":
        parser.add_argument(parameter.flag, dest=parameter.name, action="store_true", help=help_text)
    else:
        action = "append" if parameter.shape == "many" else "store"
        parser.add_argument(
            parameter.flag, dest=parameter.name, metavar=metavar, help=help_text, type=kind, action=action
        )


def _options(values: dict[str, Any]) -> Options:
    return Options(**{name: values[name] for name in Options.__slots__ if name in values})


def _explained(message: str, parser: _Parser) -> UsageError:
    """argparse's message as ours: the unknown option gets its nearest, everything a way to the help."""
    verb = parser.prog.removeprefix("mlox").strip()
    hint = f"See: mlox help {verb}".rstrip() + "."
    unknown = message.removeprefix("unrecognized arguments: ").split() or ["''"]
    if message.startswith("unrecognized arguments") and unknown[0].startswith("-"):
        hint = nearest(unknown[0].partition("=")[0], parser.flags) or hint
        message = f"unknown option {unknown[0]!r}"
    elif message.startswith("unrecognized arguments"):
        message = f"too many arguments: {' '.join(unknown)}"
    elif message.startswith("the following arguments are required: "):
        message = f"missing: {message.partition(': ')[2]}"
    return UsageError(f"{verb}: {message}" if verb else message, hint=hint)
