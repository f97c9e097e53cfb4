"""Where features are kept: the folder of the project's data, and which online store serves them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from feast import RepoConfig

ONLINE_STORE: Literal["sqlite", "redis"] = "sqlite"
"""``sqlite`` needs nothing; ``redis`` is read from the environment variable ``REDIS_URL``."""


@dataclass(frozen=True)
class Settings:
    """Where features are kept.

    ``folder`` holds the history, the registry and, with SQLite, the online store. ``redis_url`` is
    ``redis://[user][:password]@host:port/database``, or ``rediss://`` for TLS. ``project`` keeps the features of one
    project apart from those of others in the same Redis.
    """

    folder: Path
    online_store: Literal["sqlite", "redis"] = ONLINE_STORE
    redis_url: str = field(default="", repr=False)
    project: str = __name__.partition(".")[0]

    @classmethod
    def from_environment(cls) -> Settings:
        """The folder ``data/feature_store`` of this project, and the Redis that ``REDIS_URL`` names."""
        return cls(_project_folder() / "data" / "feature_store", redis_url=os.environ.get("REDIS_URL", ""))

    def repo_config(self) -> RepoConfig:
        """The same in Feast's words.

        Raises:
            ValueError: the online store is Redis, and its address is not given or is none.
        """
        if self.online_store == "sqlite":
            online_store: dict[str, object] = {"type": "sqlite", "path": str(self.folder / "online.db")}
        else:
            # Without skip_dedup, a table that is built again keeps its old values where their times are the same.
            address = connection_string(self.redis_url)
            online_store = {"type": "redis", "connection_string": address, "skip_dedup": True}
        return RepoConfig(
            project=self.project,
            provider="local",
            registry=str(self.folder / "registry.db"),
            online_store=online_store,
            offline_store={"type": "file"},
            entity_key_serialization_version=3,
        )


def connection_string(url: str) -> str:
    """A Redis URL as Feast reads it: ``host:port`` and parameters as JSON, a comma between.

    Example:
        >>> connection_string("redis://:secret@127.0.0.1:6379/0")
        '127.0.0.1:6379,db=0,password="secret"'
    """
    if not url:
        raise ValueError("the online store is Redis, and REDIS_URL is not set: redis://:PASSWORD@HOST:PORT/0")
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError(f"REDIS_URL begins with {parts.scheme or 'nothing'!r}, not with redis://HOST or rediss://HOST")
    values: dict[str, object] = {"db": int(parts.path.strip("/") or 0)}
    if parts.username:
        values["username"] = unquote(parts.username)
    if parts.password:
        values["password"] = unquote(parts.password)
    if parts.scheme == "rediss":
        values["ssl"] = True
    # Feast splits at every comma before it reads the JSON.
    given = [f"{name}={json.dumps(value)}".replace(",", r"\u002c") for name, value in values.items()]
    return ",".join([f"{parts.hostname}:{parts.port or 6379}", *given])


def _project_folder() -> Path:
    """The nearest folder above this file that has a ``pyproject.toml``; where this is installed, the current one."""
    above = Path(__file__).resolve().parents
    return next((folder for folder in above if (folder / "pyproject.toml").is_file()), Path.cwd())
