"""Secrets from the ``.env`` file of a workspace, by Compose's rules; see :mod:`mlox.dotenv`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mlox.dotenv import Entry, parse
from mlox.errors import SecretError, SpecError
from mlox.interpolation import interpolate
from mlox.protocols import StoredSecret
from mlox.secret import Secret, is_secret
from mlox.secret_stores.folders import unreadable
from mlox.secret_stores.names import is_name, not_found, version_not_found

VERSION = "env-file"

_PLAIN = re.compile(
    r"[A-Za-z]{1,16}"
    r"|[\d.,:]+"
    r"|(?:~|\.{0,2})(?:/[A-Za-z._-]+)+/?"
    r"|(?:[a-z+]+://[a-z.-]+|[a-z-]+(?:\.[a-z-]+)+)(?::\d+)?(?:/[a-z\d]{0,8})*"
)
"""A word, a number or address, a path, a host with its port: what a notebook may show without anybody's harm."""


class EnvFileStore:
    r"""The variables in the file ``path``, by their own names; it is only read.

    ``variables`` are those that the file may refer to, by default the environment of this process.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / ".env"
        >>> _ = path.write_text("HOST=example.org\nURL=https://${HOST}/  # ours")
        >>> EnvFileStore(path).get("URL").reveal()
        'https://example.org/'
    """

    name = ".env"

    def __init__(self, path: Path, variables: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._variables = os.environ if variables is None else variables

    def get(self, name: str, version: str | None = None) -> Secret:
        """The value in the file; it has no other versions.

        Raises:
            SecretNotFoundError: there is none, or it is empty.
            SecretError: the file cannot be read, or a line is broken.
        """
        found = self._entries()
        if name not in found:
            raise not_found(name, sorted(found))
        if version not in (None, VERSION):
            raise version_not_found(name, str(version), [VERSION])
        return Secret(self._value(name, found, frozenset()), VERSION)

    def names(self) -> tuple[str, ...]:
        """The names in the file that have a value, sorted."""
        return tuple(sorted(self._entries()))

    def describe(self) -> tuple[StoredSecret, ...]:
        r"""The names in the file; as new as the file.

        Example:
            >>> import tempfile
            >>> path = Path(tempfile.mkdtemp()) / ".env"
            >>> _ = path.write_text("DB_USER=mlflow\nDB_PASSWORD=mlflow\nHOOK=https://example.org/T0/x8gTq")
            >>> [row.name for row in EnvFileStore(path).describe() if not row.plain]
            ['DB_PASSWORD', 'HOOK']
        """
        found = self._entries()
        updated = self._path.stat().st_mtime if found else 0.0
        return tuple(
            StoredSecret(name, VERSION, updated, ("you",), plain=_is_plain(name, found[name].text))
            for name in sorted(found)
        )

    def _entries(self) -> dict[str, Entry]:
        try:
            text = self._path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise unreadable(self._path, error) from error
        except UnicodeDecodeError:
            text = None  # raised below, outside this block: the caught error carries the content
        if text is None:
            raise SecretError(f"{self._path} is not UTF-8 text", hint="Save it as UTF-8.")
        try:
            found = parse(text.replace("\r\n", "\n"))
        except ValueError as error:
            raise SecretError(
                f"{self._path}:{error}", hint="Write NAME=value, and in single quotes what holds quotes, # or $."
            ) from error
        return {name: entry for name, entry in found.items() if entry.text and is_name(name)}

    def _value(self, name: str, found: Mapping[str, Entry], above: frozenset[str]) -> str:
        """A value with its variables; the environment wins over the file, as in Compose."""
        entry = found[name]
        if not entry.open:
            return entry.text
        problem = ""
        others = {key: other for key, other in found.items() if key != name and key not in above}

        def look(other: str) -> str | None:
            return self._value(other, others, above | {name}) if other in others else None

        try:
            return interpolate(entry.text, _Variables(self._variables, look))
        except SpecError:
            problem = "a variable in its value is missing, or a $ begins none"  # the caught text shows the value
        raise SecretError(
            f"{self._path}:{entry.line}: {name}: {problem}",
            hint="Put the value into single quotes if its $ is no variable.",
        )


def _is_plain(name: str, text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and not is_secret(name, text)


class _Variables(Mapping[str, str]):
    """What a value may refer to: the environment, then what is looked up in the file."""

    def __init__(self, environment: Mapping[str, str], look: Callable[[str], str | None]) -> None:
        self._environment = environment
        self._look = look

    def __getitem__(self, name: str) -> str:
        value = self._environment[name] if name in self._environment else self._look(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)
