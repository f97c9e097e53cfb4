"""Holding a stack on disks that are full, closed or read-only."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mlox.backends.native import NativeBackend
from mlox.errors import WorkspaceError
from mlox.transports.local import LocalTransport
from tests.test_locks import STACK, held, refused


def test_a_disk_that_fills_up_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with held(tmp_path) as hold:
        monkeypatch.setattr(os, "pwrite", full)
        hold.check()
        assert f"process {os.getpid()} " in refused(tmp_path)
    with pytest.raises(WorkspaceError, match="No space left"), held(tmp_path / "new"):
        pytest.fail("it could not be written down")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WorkspaceError, match="cannot write .*file") as caught, held(tmp_path / "file"):
        pytest.fail("there is no such folder")
    assert "MLOX_DATA_HOME" in (caught.value.hint or "")


def test_looking_who_holds_a_stack_needs_no_right_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(tmp_path) as hold:
        opened = os.open

        def read_only(path: object, flags: int, *others: object) -> int:
            if flags & (os.O_RDWR | os.O_CREAT):
                raise OSError(errno.EROFS, "Read-only file system")
            return opened(path, flags, *others)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "open", read_only)
        assert NativeBackend(tmp_path, LocalTransport()).holder(STACK) == hold.holder
        monkeypatch.undo()
