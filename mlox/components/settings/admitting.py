"""What a piece of settings may say: nothing that is secret, nothing that decides what is installed or run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from mlox.components.merge.formats.pieces import Body, Leaf
from mlox.components.settings.entries import Keys, cut, name_of, parts_of, plain_text, written_key
from mlox.components.settings.forms import FORMS, form_of
from mlox.components.settings.putting import put_settings
from mlox.errors import MloxError, SpecError

INSTALLERS = frozenset(
    {"cibuildwheel", "conda", "conda-lock", "flit", "hatch", "maturin", "meson-python", "mlox", "pdm", "pip", "pixi"}
    | {"poe", "poetry", "rye", "scikit-build", "setuptools", "setuptools_scm", "taskipy", "uv"}
)
"""Tables below ``[tool]`` that say what is installed, from where, or what is run to build."""

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|(^|_)(pwd|pw|pass)$|(^|_)(secret|token|credentials?|dsn)s?(_\d+)?$"
    r"|(api|access|private|secret|account|signing|encryption|auth)_?key(_id)?(_\d+)?$"
)
_SECRET_SHAPE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bgithub_pat_\w{30,}"
    r"|\bglpat-[\w-]{20,}|\bxox[abposr]-[\w-]{10,}|\bsk-[\w-]{20,}|\bAIza[\w-]{35}|\bhf_\w{30,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+|AGE-SECRET-KEY-1"
)
_LOGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<password>[^/\s@]+)@", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{(?!\s*secret)[\w.:]+\}|\$[A-Z_][A-Z0-9_]*|<[^<>]*>|/run/secrets/[\w.-]+")
_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp"})
_PLAIN = frozenset({"", "none", "null", "true", "false", "yes", "no", "on", "off"})


def check_piece(path: str, content: bytes, *, where: str, environment: Collection[str] = ()) -> None:
    """Raise where the settings for the file ``path`` cannot be put there, or must not; ``where`` says which they are.

    ``environment`` are names whose values are told nowhere.

    Raises:
        SpecError: they are no settings of that format, hold a secret, or say what is installed.
    """
    form = form_of(path)
    try:
        text = plain_text(content)
        body = cut(FORMS[form], text, where)
        done = put_settings(None, text, form, source=where)
    except UnicodeDecodeError as error:
        raise SpecError(f"{where} is not UTF-8 text", hint="Save it as UTF-8.") from error
    except MloxError as error:
        raise SpecError(error.problem, hint="Write it plainly: keys and values, one document, no tables twice.") from (
            error
        )
    if not done.settings and not environment:
        raise SpecError(f"{where} has no settings in it", hint="Write some, or take it out of the list.")
    if form in ("yaml", "compose") and not _is_plain(body):
        raise SpecError(
            f"{where} has tags, anchors or aliases",
            hint="Write out what they stand for: each setting goes in by itself.",
        )
    line = next((n for n, line in enumerate(text.splitlines(), 1) if _shows_secret(line)), 0)
    if line:
        raise SpecError(f"{where}:{line}: there is something that looks like a secret", hint="Take it out.")
    for keys, value in _values(body, ()):
        names = [part for key in keys for part in parts_of(key)]
        is_name = form == "env" and keys[-1] in environment
        if (is_name and value) or _is_secret(names, value):
            raise SpecError(
                f"{where}: {name_of(keys)} has a value that looks like a secret; settings have names alone",
                hint="Leave it empty, or say where it comes from: ${NAME}.",
            )
    if PurePosixPath(path).name.lower() == "pyproject.toml":
        _check_project(text, where)


def _check_project(text: str, where: str) -> None:
    data = tomllib.loads(text)
    tables = data.get("tool", {})
    wrong = sorted(set(data) - {"tool"}) or [f"tool.{name}" for name in sorted(tables) if name.lower() in INSTALLERS]
    if wrong:
        raise SpecError(
            f"{where}: {wrong[0]} is not for a component to set: it says what is installed or built",
            hint="Name requirements in the manifest's dependencies; settings go below other tables of [tool].",
        )


def _values(body: Body, path: Keys) -> Iterator[tuple[Keys, str]]:
    """Every value that has no parts, in lists too, with the keys that lead to it."""
    for one in body.pieces:
        keys = (*path, written_key(one.key)) if body.kind == "map" else path
        if isinstance(one.value, Leaf):
            yield keys, _said(one.value)
        else:
            yield from _values(one.value, keys)


def _said(leaf: Leaf) -> str:
    meaning = leaf.meaning
    if not isinstance(meaning, tuple):
        return leaf.text
    if len(meaning) == 3 and isinstance(meaning[1], bool):  # of an .env file
        return str(meaning[0])
    return "" if meaning[-1] is None else str(meaning[-1])


def _is_plain(body: Body) -> bool:
    """Whether a text of YAML has neither tags nor anchors nor aliases."""
    for one in body.pieces:
        if isinstance(one.value, Body):
            if one.value.anchor or not _is_plain(one.value):
                return False
            continue
        meaning = one.value.meaning
        if not isinstance(meaning, tuple) or meaning[0] != "" or str(meaning[1]).rpartition(":")[2] not in _TAGS:
            return False
    return not body.anchor


def _shows_secret(text: str) -> bool:
    """Whether a text has a key of a known shape, or a password in an address."""
    logins = (found["password"] for found in _LOGIN.finditer(text))
    return bool(_SECRET_SHAPE.search(text)) or any(not _REFERENCE.fullmatch(one) for one in logins)


def _is_secret(names: list[str], value: str) -> bool:
    name, equals, rest = value.partition("=")
    if equals and re.fullmatch(r"[A-Za-z_]\w*", name) and _is_secret([name], rest):  # as Compose lists variables
        return True
    if _shows_secret(value) or "${secret" in value.replace(" ", ""):
        return True
    last = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", names[-1] if names else "").lower().replace("-", "_")
    told = value.lower() in _PLAIN or bool(_REFERENCE.fullmatch(value)) or value.replace(".", "").isdecimal()
    return not told and bool(_SECRET_NAME.search(last))
