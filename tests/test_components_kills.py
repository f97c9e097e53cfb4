"""Adding and removing are all or nothing: killed, interrupted or failing at any write, and two at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlox.errors import WorkspaceError
from tests.component_stage import Shop, offer, template_files
from tests.journal_stage import STEPS, Disk

pytestmark = pytest.mark.slow

KILLER = """
import os, shutil, sys
from pathlib import Path
from mlox.protocols import Completed
from mlox.stack import Components, Stack
import mlox.documents, tomlkit
template, roots, after, verb, steps = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]
real = {step: getattr(os, step) for step in steps.split(",")}

def act(root, left):
    def dying(step):
        def call(*arguments, **options):
            nonlocal left
            left -= 1
            if left == -1 and after == "interrupt":
                raise KeyboardInterrupt
            if left == -1 and after == "before":
                os._exit(9)
            try:
                return real[step](*arguments, **options)
            finally:
                if left == -1 and after == "after":
                    os._exit(9)
        return call
    os.fsync = lambda descriptor: None
    components = Components(Stack(path=root), resolve=lambda _: Completed(0, "", ""))
    for step in real:
        if step != "fsync":
            setattr(os, step, dying(step))
    try:
        if verb == "add":
            components.add(components.template("greeting"))
        else:
            components.remove("greeting")
    except KeyboardInterrupt:
        os._exit(9)
    os._exit(0 if left >= 0 else 9)

for number in range(400):
    root = roots / f"{number:03d}" / "churn"
    shutil.copytree(template, root)
    if (child := os.fork()) == 0:
        act(root, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:
        break
    if code != 9:
        sys.exit(code)
"""
"""A child for each n dies, or is interrupted, at the n-th call that changes the disk; the last one ends."""


def killed(tmp_path: Path, shop: Shop, verb: str, when: str) -> list[Path]:
    """Copies of the workspace in which ``verb`` was ended at the first, second, ... step."""
    roots = tmp_path / "roots"
    roots.mkdir()
    command = [sys.executable, "-c", KILLER, str(shop.root), str(roots), when, verb, ",".join(STEPS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(roots.glob("*/churn"))


def laid_out(shop: Shop, verb: str) -> None:
    """A project with its own files, and the component in it where it is to be removed."""
    shop.put("pyproject.toml", '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n')
    shop.put("src/churn/model.py", "x = 1\n")
    if verb == "remove":
        shop.add()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after", "interrupt"])
@pytest.mark.parametrize("verb", ["add", "remove"])
def test_ended_at_any_step_the_next_verb_finds_all_old_or_all_new(
    tmp_path: Path, shop: Shop, verb: str, when: str
) -> None:
    laid_out(shop, verb)
    old = shop.tree()
    roots = killed(tmp_path, shop, verb, when)
    (shop.add if verb == "add" else shop.remove)()
    new = shop.tree()
    seen = {"old": 0, "new": 0}
    for root in roots:
        copy = Shop(root)
        told = copy.components.rows()  # the next verb, though it only looks
        left = copy.tree()
        files = {path: content for path, content in left.items() if content is not None}
        assert files in [{p: c for p, c in state.items() if c is not None} for state in (old, new)], root
        word = "new" if left == new else "old"
        assert len(told) == (1 if (word == "new") == (verb == "add") else 0)
        seen[word] += 1
    print(f"{verb}, {when}: {len(roots)} points, {seen['old']} all old, {seen['new']} all new")
    assert seen["old"] > 5
    assert seen["new"] > 5


def test_a_disk_that_fails_at_any_step_leaves_all_as_it_was(
    tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out(shop, "add")
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
    laid_out(shop, "add")
    write = type(shop.components.stack.workspace.journal).write

    def late(journal: object, edits: object, **options: object) -> None:
        shop.put("pyproject.toml", '[project]\nname = "mine"\n')
        write(journal, edits, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(shop.components.stack.workspace.journal), "write", late)
    with pytest.raises(WorkspaceError, match="changed by somebody else"):
        shop.add()
    assert shop.read("pyproject.toml") == '[project]\nname = "mine"\n'
    assert not (shop.root / "src/churn/greeting").exists()
    assert [path.name for path in (shop.root / "src/churn").iterdir()] == ["model.py"]
