"""The short and long forms of Compose's values, read into one form each."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mlox.compose.findings import Findings
from mlox.compose.loading import Raw, scalar
from mlox.specs.amounts import seconds, size_bytes

T = TypeVar("T")
MAX_PORTS = 1000
_PORT = re.compile(
    r"(?:(?P<ip>\[[0-9A-Fa-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3}):)?(?:(?P<host>\d*(?:-\d+)?):)?(?P<inside>\d+(?:-\d+)?)(?:/(?P<protocol>\w+))?"
)
_TRUE = frozenset({"true", "y", "yes", "on", "1"})
_FALSE = frozenset({"false", "n", "no", "off", "0", ""})


@dataclass(frozen=True, slots=True)
class Forms:
    """Reads values at their paths; what cannot be read is an error that names the path."""

    findings: Findings

    def items(self, value: object, path: str, separator: str = "=") -> dict[str, str | None]:
        """A map, or a list of ``NAME=VALUE``; None is a name without a value."""
        if isinstance(value, Mapping):
            return {key: None if one is None else scalar(one) for key, one in value.items()}
        found: dict[str, str | None] = {}
        for one in self.texts(value, path):
            name, sign, text = one.partition(separator)
            if not name:
                raise self.findings.wrong(path, f"an entry has no name before the {separator!r}")
            found[name] = text if sign else None
        return found

    def pairs(self, value: object, path: str, separator: str = "=") -> dict[str, str]:
        """Like :meth:`items`, a missing value being empty."""
        return {name: one or "" for name, one in self.items(value, path, separator).items()}

    def texts(self, value: object, path: str) -> list[str]:
        """A list of texts; one alone is a list of one."""
        if value is None:
            return []
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, (dict, list)) for one in values):
            raise self.findings.wrong(path, "is no list of texts")
        return [scalar(one) for one in values]

    def words(self, value: object, path: str) -> list[str] | None:
        """A command: a list, or a text that is split as a shell would; no shell runs it."""
        if value is None:
            return None
        if isinstance(value, list):
            return [scalar(one) for one in value]
        text = scalar(value)
        try:
            lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|<>")
            lexer.whitespace_split, lexer.commenters = True, ""
            operators = [word for word in lexer if word and not set(word) - set(";&|<>")]
            words = shlex.split(text)
        except ValueError as error:
            raise self.findings.wrong(path, "a quotation mark is not closed") from error
        if operators and any(word in text for word in operators) and _bare(text):
            self.findings.unsupported(path, f"{operators[0]!r} is for a shell, and Compose runs none: [sh, -c, ...]")
        return words

    def flag(self, value: object, path: str) -> bool:
        """A boolean, also as a text."""
        text = scalar(value).lower()
        if text not in _TRUE | _FALSE:
            raise self.findings.wrong(path, "is neither true nor false")
        return text in _TRUE

    def number(self, value: object, path: str, *, least: int = -1, most: int = 2**63 - 1) -> int:
        """A whole number, also as a text."""
        text = scalar(value).strip()
        if not re.fullmatch(r"[+-]?\d{1,19}", text) or not least <= int(text) <= most:
            raise self.findings.wrong(path, f"is no whole number from {least} to {most}")
        return int(text)

    def fraction(self, value: object, path: str) -> float:
        """A number, also as a text."""
        text = scalar(value).strip()
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", text):
            raise self.findings.wrong(path, "is no number")
        return float(text)

    def seconds(self, value: object, path: str) -> float:
        """A duration."""
        return self._read(seconds, value, path)

    def size(self, value: object, path: str) -> int:
        """A size in bytes."""
        return self._read(size_bytes, value, path)

    def mode(self, value: object, path: str, default: str) -> str:
        """The mode of a file; YAML 1.2 reads an unquoted ``0440`` as the number 440, and means these digits."""
        text = scalar(value).removeprefix("0o") if value is not None else default
        if not re.fullmatch(r"0*[0-7]{1,4}", text):
            raise self.findings.wrong(path, "is no mode of a file, such as 0440")
        return text.lstrip("0").rjust(3, "0").rjust(4, "0")

    def _read(self, reader: Callable[[object], T], value: object, path: str) -> T:
        try:
            return reader(value)
        except ValueError as error:
            raise self.findings.wrong(path, str(error)) from error


def _bare(text: str) -> bool:
    """Whether an operator of shells stands outside of quotation marks."""
    return any(sign in re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.", "", text) for sign in ";&|<>")


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container: its number inside, the host's (None: any that is free), and where it is bound."""

    inside: int
    published: int | None = None
    address: str = ""
    protocol: str = "tcp"
    name: str = ""


def ports(forms: Forms, value: object, path: str) -> list[Port]:
    """Compose's ``ports`` in their short and long form, ranges told apart."""
    found: dict[Port, None] = {}
    for index, one in enumerate(value if isinstance(value, list) else []):
        where = f"{path}.{index}"
        several = _long_port(forms, one, where) if isinstance(one, dict) else _short_port(forms, scalar(one), where)
        found |= dict.fromkeys(several)
        if len(found) > MAX_PORTS:
            raise forms.findings.wrong(path, f"are more than {MAX_PORTS} ports")
    return list(found)


def _short_port(forms: Forms, text: str, path: str) -> list[Port]:
    match = _PORT.fullmatch(text.strip())
    if match is None:
        raise forms.findings.wrong(path, f"{text!r} is no port", "Write 8080:80, 127.0.0.1:8080:80 or 53:53/udp.")
    protocol = (match["protocol"] or "tcp").lower()
    return _ranges(forms, match["host"] or "", match["inside"], (match["ip"] or "").strip("[]"), protocol, "", path)


def _long_port(forms: Forms, value: Raw, path: str) -> list[Port]:
    mode = value.get("mode", "ingress")
    if mode not in ("ingress", "host"):
        forms.findings.unsupported(f"{path}.mode")
    for key in value.keys() & {"app_protocol"}:
        forms.findings.warn(f"{path}.{key}", "has no meaning on one engine, as in docker compose")
    if value.get("target") is None:
        raise forms.findings.wrong(path, "lacks 'target'")
    return _ranges(
        forms,
        scalar(value.get("published")),
        scalar(value["target"]),
        scalar(value.get("host_ip")),
        scalar(value.get("protocol", "tcp")).lower(),
        scalar(value.get("name")),
        path,
    )


def _ranges(forms: Forms, host: str, inside: str, address: str, protocol: str, name: str, path: str) -> list[Port]:
    if protocol not in ("tcp", "udp"):
        forms.findings.unsupported(path, f"the protocol {protocol} is not supported")
        return []
    targets = _range(forms, inside, path)
    published: list[int | None] = list(_range(forms, host, path)) if host else [None] * len(targets)
    if len(targets) == 1 and len(published) > 1:
        forms.findings.warn(path, "one of several ports is asked for", f"the first is taken: {published[0]}")
        published = published[:1]
    if len(published) != len(targets):
        raise forms.findings.wrong(path, "the two ranges of ports do not have the same length")
    return [Port(i, p, address, protocol, name) for i, p in zip(targets, published, strict=True)]


def _range(forms: Forms, text: str, path: str) -> list[int]:
    first, _, last = text.partition("-")
    low = forms.number(first, path, least=1, most=65535)
    high = forms.number(last or first, path, least=1, most=65535)
    if high < low or high - low >= MAX_PORTS:
        raise forms.findings.wrong(path, f"{text!r} is no range of at most {MAX_PORTS} ports")
    return list(range(low, high + 1))


BIND_OPTIONS = frozenset({"shared", "slave", "private", "rshared", "rslave", "rprivate"})


def mount(forms: Forms, value: object, path: str) -> Raw:
    """One of Compose's ``volumes`` in its long form; the short one is told by its colons."""
    if isinstance(value, dict):
        return dict(value)
    text = scalar(value)
    parts = text.split(":")
    if not text or "" in parts or len(parts) > 3:
        raise forms.findings.wrong(
            path, f"{text!r} is no volume", "Write data:/path, ./folder:/path or ./file:/path:ro."
        )
    if len(parts) == 1:
        return {"type": "volume", "target": text}
    source, target = parts[:2]
    found: dict[str, Any] = {"source": source, "target": target}
    is_path = source[0] in "./~"
    found["type"] = "bind" if is_path else "volume"
    for option in parts[2].split(",") if len(parts) == 3 else ():
        if option in ("ro", "rw"):
            found["read_only"] = option == "ro"
        elif option == "nocopy":
            found["volume"] = {"nocopy": True}
        elif option in BIND_OPTIONS:
            found.setdefault("bind", {})["propagation"] = option
        elif option in ("z", "Z") and is_path:
            found.setdefault("bind", {})["selinux"] = option
        elif option == "Z":
            forms.findings.warn(path, "Z is not carried", "the engine labels its own volumes, for all containers")
        elif option not in ("z", "cached", "delegated", "consistent"):  # a volume's label is z where none is asked for
            forms.findings.unsupported(path, f"the option {option!r} is not supported")
    if is_path:
        found.setdefault("bind", {})["create_host_path"] = True
    return found
