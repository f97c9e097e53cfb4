"""What is known of one service of a compose file while it is read: the parts of a catalog service."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mlox.compose.forms import Forms
from mlox.compose.loading import Document, Raw
from mlox.secret import Secret

DEFAULT_NETWORK = "default"
UNIT = "server"


@dataclass(slots=True)
class Part:
    """One service: its name in the file, the one that it gets, and what it becomes."""

    written: str
    name: str
    raw: Raw
    version: str = "0"
    unit: dict[str, Any] = field(default_factory=dict)
    ports: dict[str, Raw] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    data: dict[str, Raw] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it stands in the file."""
        return f"services.{self.written}"

    def add_alias(self, alias: str) -> None:
        """Let others find it by a further name."""
        networks = self.unit.setdefault("networks", {DEFAULT_NETWORK: {}})
        network = next(iter(networks.values()))
        if alias not in network.setdefault("aliases", []):
            network["aliases"].append(alias)


@dataclass(slots=True)
class Project:
    """A file while it is read: its services by their written names, and where its paths begin.

    ``folder`` is the file's folder as the workspace sees it.
    """

    document: Document
    folder: str
    forms: Forms
    parts: dict[str, Part] = field(default_factory=dict)
    asleep: frozenset[str] = frozenset()

    def at(self, written: str) -> str:
        """A path of the file as the workspace sees it; one that begins at the root or at home stays."""
        if written.startswith(("/", "~/")) or written == "~":
            return written
        path = posixpath.normpath(posixpath.join(self.folder, written))
        return path if path.startswith(("../", "/")) or path in (".", "..") else f"./{path}"

    def inside(self, written: str, where: str) -> str:
        """Like :meth:`at`, of a path that may not leave the workspace."""
        path = self.at(written)
        if path.startswith(("/", "~/", "../")) or path in ("~", ".."):
            raise self.forms.findings.wrong(
                where, f"{written!r} is outside of the workspace", "Make the folder that holds both the workspace."
            )
        return path


def service_name(written: str, taken: Collection[str]) -> str:
    """The name of a service in a stack, from the one in a compose file.

    Example:
        >>> service_name("Web_App", []), service_name("web-app", ["web-app"])
        ('web-app', 'web-app-2')
    """
    text = re.sub(r"[^a-z0-9]+", "-", written.lower()).strip("-")
    return _free(text if text[:1].isalpha() else f"s-{text}".rstrip("-"), "-", taken)


def identifier(written: str, taken: Collection[str] = ()) -> str:
    """A name of the catalog's grammar from any text.

    Example:
        >>> identifier("POSTGRES_PASSWORD"), identifier("my.key", ["my_key"])
        ('postgres_password', 'my_key_2')
    """
    text = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
    return _free(text if text[:1].isalpha() else f"x_{text}".rstrip("_"), "_", taken)


def _free(text: str, sign: str, taken: Collection[str]) -> str:
    """``text`` cut to what a name may have, with a number where it is taken."""
    if len(text) > 34:
        text = text[:25].rstrip(sign) + sign + "x" + hashlib.sha256(text.encode()).hexdigest()[:6]
    numbered = (f"{text}{sign}{number}" for number in range(2, 100_000))
    return text if text not in taken else next(name for name in numbered if name not in taken)
