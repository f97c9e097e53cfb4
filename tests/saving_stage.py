"""The two servers in memory of moving_stage, and a place for backups in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox import plugins
from mlox.testing import FakeBackupStore
from tests.moving_stage import House, both_servers, furnish


class ThePlace:
    """What the plugins' table makes in place of a folder: always the place of the running test."""

    place: FakeBackupStore

    def __new__(cls, folder: Path) -> FakeBackupStore:  # type: ignore[misc]
        """The one fake."""
        del folder
        return cls.place


def housed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[House, FakeBackupStore]:
    """A house with a base that has words and an app that needs it, and where its backups go."""
    place = FakeBackupStore()
    monkeypatch.setattr(ThePlace, "place", place, raising=False)
    monkeypatch.setitem(plugins.TABLE, ("backup_stores", "folder"), plugins.Row(f"{__name__}:ThePlace"))
    return furnish(folder, *both_servers(monkeypatch)), place


def stands(house: House, words: str) -> bool:
    """Whether both run, with these words, and nothing of a backup or a restore is left."""
    assert house.where() == {"base": ["local running"], "app": ["local running"]}, house.where()
    assert house.native.data[house.key] == words
    assert house.native.passages(house.key[0]) == ()
    assert house.native.observe(house.key[0])[0].previous is None
    assert house.stack.plan().actions == ()
    return True
