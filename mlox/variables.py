"""Which variables a catalog text may hold, and what is put in their place.

The grammar is closed: ``${port.NAME} ${published.NAME} ${dir.NAME} ${secret.NAME} ${secretfile.NAME} ${need.NAME.VALUE}
${option.NAME} ${version} ${name} ${bind}``, for clients also ``${url.NAME} ${host.NAME} ${file.NAME}`` and, in their
files, ``${escaped.NAME}``, in grants ``${grant.NAME}``, in files of units ``${bcrypt.NAME}``; ``$$`` is one
dollar sign. Any other ``$`` before a brace is an error: no ``${`` survives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from mlox.errors import SpecError, UnknownNameError, nearest
from mlox.hashing import hashed
from mlox.secret import Secret

KINDS = (
    *("bcrypt", "bind", "dir", "escaped", "file", "grant", "host", "name", "need", "option", "port"),
    *("published", "quoted", "secret", "secretfile", "url", "version"),
)
REVEALED = frozenset({"secret", "quoted", "escaped", "bcrypt"})
"""What is left open until a secret is revealed: as it is, percent-encoded, for a line of a file, hashed."""

ALONE = ("version", "name", "bind")

_TOKEN = re.compile(r"\$\$|\$\{([^{}]*)\}|\$\{|\$")


class Variable(NamedTuple):
    """One reference: ``${kind.name.value}``; needs alone have a ``value``, and ``ALONE`` no ``name``."""

    kind: str
    name: str
    value: str


def parse(reference: str) -> Variable:
    """The parts of what stands between the braces.

    Raises:
        SpecError: it is not one of the grammar.

    Example:
        >>> parse("need.database.url")
        Variable(kind='need', name='database', value='url')
    """
    kind, *rest = reference.split(".")
    parts = {"need": 2, **dict.fromkeys(ALONE, 0)}.get(kind, 1)
    if kind not in KINDS or len(rest) != parts or not all(re.fullmatch(r"[a-z][a-z0-9_]*", part) for part in rest):
        raise SpecError(
            f"${{{reference}}} is not a variable of the catalog",
            hint=(nearest(kind, KINDS) if kind not in KINDS else None)
            or "Write ${port.NAME}, ${need.NAME.url}, ${version} ..., and $$ for a dollar sign.",
        )
    return Variable(kind, *rest, *[""] * (2 - len(rest)))


def references(text: str) -> Iterator[Variable]:
    """Every variable in ``text``, in order.

    Raises:
        SpecError: a reference is malformed or not closed.
    """
    for match in _TOKEN.finditer(text):
        if match.group() == "${":
            raise SpecError(f"a variable is not closed in {text!r}", hint="Close it with }, or write $$ for a dollar.")
        if match.group(1) is not None:
            yield parse(match.group(1))


def substitute(text: str, value_of: Callable[[Variable], str | None]) -> str:
    """``text`` with each variable replaced by a text of the same grammar; None leaves the variable for later.

    A plain value goes through :func:`literal` first. Every dollar that stays is doubled, so that none can meet a brace.

    Example:
        >>> substitute("${version}-$$x", lambda variable: literal("a$b"))
        'a$$b-$$x'
    """

    def replaced(match: re.Match[str]) -> str:
        if match.group() in ("$$", "$"):
            return "$$"
        value = value_of(parse(match.group(1)))
        return match.group() if value is None else value

    list(references(text))
    return _TOKEN.sub(replaced, text)


def literal(value: str) -> str:
    """A plain value as a text of the grammar: its dollars doubled, so that :func:`finish` gives it back exactly."""
    return value.replace("$", "$$")


def finish(text: str, secrets: Mapping[str, Secret] | None = None) -> str:
    """The final text: secrets revealed, ``$$`` made one dollar, and nothing of the grammar left.

    Raises:
        UnknownNameError: a secret is not among ``secrets``.
        SpecError: another variable is left, or a secret cannot stand where it is to.

    Example:
        >>> finish("p=${secret.password} $$5", {"password": Secret("x")})
        'p=x $5'
    """

    def replaced(match: re.Match[str]) -> str:
        if match.group() in ("$$", "$"):
            return "$"
        variable = parse(match.group(1))
        if variable.kind not in REVEALED:
            raise SpecError(
                f"{match.group()} has no value here", hint="Use it where the service's own values are known."
            )
        if variable.name not in (secrets or {}):
            raise UnknownNameError.among("secret", variable.name, secrets or {})
        value = (secrets or {})[variable.name].reveal()
        if variable.kind == "escaped":
            return escaped(variable.name, value)
        if variable.kind == "bcrypt":
            return _hashed(variable.name, value)
        return quote(value, safe="") if variable.kind == "quoted" else value

    list(references(text))
    return _TOKEN.sub(replaced, text)


def escaped(name: str, value: str) -> str:
    r"""A value as a field of a line that colons divide, as in libpq's password file.

    Source: https://www.postgresql.org/docs/current/libpq-pgpass.html

    Raises:
        SpecError: it has a line break.

    Example:
        >>> print(escaped("password", "a:b"))
        a\:b
    """
    if "\n" in value or "\r" in value:
        raise SpecError(
            f"the secret {name!r} has a line break, which a line of a file cannot hold", hint="Set one without."
        )
    return value.replace("\\", "\\\\").replace(":", "\\:")


def _hashed(name: str, value: str) -> str:
    try:
        return hashed(value)
    except ValueError as error:
        raise SpecError(f"the secret {name!r} cannot be hashed: {error}", hint="Set a shorter one.") from error
