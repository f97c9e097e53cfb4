"""Adding is all or nothing where the disk fails at any write, two are at once, or somebody else writes meanwhile.

Kills are in ``test_components_kill_matrix.py``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mlox.errors import WorkspaceError
from mlox.journal import Edit, Journal
from tests.component_stage import Shop, offer, template_files
from tests.journal_stage import Disk

pytestmark = pytest.mark.slow


def laid_out(shop: Shop) -> None:
    """A project with its own files."""
    shop.put("pyproject.toml", '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n')
    shop.put("src/churn/model.py", "x = 1\n")


def test_a_disk_that_fails_at_any_step_leaves_all_as_it_was(
    tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out(shop)
    before = shop.tree()
    failures = 0
    for at in range(400):
        copy = tmp_path / f"{at}" / "churn"
        shutil.copytree(shop.root, copy)
        there = Shop(copy)
        with monkeypatch.context() as patch:
            disk = Disk(patch, at, 28)
            try:
                there.add()
            except WorkspaceError as error:
                failures += 1
                assert "No space left" in error.problem
            except OSError:
                failures += 1
        if disk.calls <= at:
            break
        left = there.tree()
        if "greeting" not in there.components.added():
            assert left == before, at
    assert failures > 20


def test_two_at_once_both_end_well(shop: Shop) -> None:
    offer(shop.root, template_files("farewell"), "farewell")
    code = "import sys, mlox; mlox.Component(sys.argv[1]).add()"
    names = ["greeting", "farewell"] * 4
    running = [subprocess.Popen([sys.executable, "-c", code, name], cwd=shop.root) for name in names]
    assert [process.wait(timeout=120) for process in running] == [0] * len(names)
    assert [row.state for row in shop.components.rows()] == ["clean", "clean"]
    assert shop.read("pyproject.toml").count("tabulate") == 1


def test_a_file_that_changes_between_plan_and_write_is_left_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out(shop)
    write = type(shop.components.stack.workspace.journal).write

    def late(journal: Journal, edits: Sequence[Edit], **options: object) -> None:
        if len(edits) > 1:  # it is the component, not what git shall ignore
            shop.put("pyproject.toml", '[project]\nname = "mine"\n')
        write(journal, edits, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(shop.components.stack.workspace.journal), "write", late)
    with pytest.raises(WorkspaceError, match="changed by somebody else"):
        shop.add()
    assert shop.read("pyproject.toml") == '[project]\nname = "mine"\n'
    assert not (shop.root / "src/churn/greeting").exists()
    assert [path.name for path in (shop.root / "src/churn").iterdir()] == ["model.py"]
