"""Where a stack is written down: found upward, made once, and the stack of a folder is the one written there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlox
from mlox.errors import SpecError, UsageError, WorkspaceError
from mlox.secret import Secret
from mlox.specs import StackSpec
from mlox.workspace import Workspace, data_home, slug
from tests.workspace_stage import nobody, written

# Finding


def test_the_nearest_folder_upward_with_a_stack(project: Path) -> None:
    inner = project / "inner"
    (inner / "deep" / "er").mkdir(parents=True)
    written(project)
    assert Workspace.find(inner / "deep" / "er").root == project
    written(inner)
    assert Workspace.find(inner / "deep" / "er").root == inner


def test_a_stack_goes_before_the_root_of_git(project: Path) -> None:
    (project / "package" / ".git").mkdir(parents=True)
    written(project)
    assert Workspace.find(project / "package").root == project


@pytest.mark.parametrize("kind", ["folder", "file of a worktree"])
def test_without_a_stack_the_root_of_git(project: Path, kind: str) -> None:
    (project / "src" / "deep").mkdir(parents=True)
    (project / ".git").mkdir() if kind == "folder" else (project / ".git").write_text("gitdir: elsewhere")
    assert Workspace.find(project / "src" / "deep").root == project


def test_else_the_folder_itself(project: Path) -> None:
    assert Workspace.find(project).root == project


def test_the_current_folder_was_removed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = project / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(WorkspaceError, match="this folder was removed meanwhile"):
        Workspace.find()


def test_without_a_folder_the_current_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert Workspace.find().root == project


def test_a_relative_folder_is_below_the_current_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "sub").mkdir()
    monkeypatch.chdir(project)
    assert Workspace.find(Path("sub")).root == project / "sub"


@pytest.mark.parametrize("marker", ["mlox.yaml", ".git"])
def test_the_home_folder_is_never_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "project").mkdir()
    (tmp_path / marker).touch()
    assert Workspace.find(tmp_path / "project").root == tmp_path / "project"
    assert_refused(tmp_path)


def assert_refused(folder: Path) -> None:
    """Somewhere between finding the folder and writing into it, it is refused, and nothing is written."""
    before = sorted(folder.iterdir())
    with pytest.raises(WorkspaceError, match="cannot be a workspace") as caught:
        mlox.Stack(path=folder).init()
    assert caught.value.hint
    assert sorted(folder.iterdir()) == before


def test_the_root_of_the_machine_is_never_a_workspace() -> None:
    assert_refused(Path("/"))


def test_a_home_that_is_reached_by_a_link_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "real")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert_refused(tmp_path / "real")
    assert_refused(tmp_path / "home")


def test_a_folder_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="nowhere is not a folder") as caught:
        Workspace.find(tmp_path / "nowhere")
    assert "-C" in (caught.value.hint or "")


def test_the_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOX_DATA_HOME", str(tmp_path / "chosen"))
    assert data_home() == tmp_path / "chosen"
    monkeypatch.delenv("MLOX_DATA_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert data_home() == tmp_path / "xdg" / "mlox"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_home() == tmp_path / ".local" / "share" / "mlox"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert data_home() == Path("/var/lib/mlox")


# Making


def test_a_new_workspace_reads_back(project: Path) -> None:
    spec = Workspace(project).create(taken=nobody)
    assert spec.name == "project"
    assert spec.id is not None
    assert spec.id.startswith("project-")
    assert Workspace.find(project).read() == spec
    assert (project / ".mlox" / ".gitignore").read_text().splitlines()[-1] == "local/"
    assert "binary" in (project / ".mlox" / ".gitattributes").read_text()


def test_an_id_that_is_in_use_is_not_taken(project: Path) -> None:
    asked: list[str] = []

    def taken(identity: str) -> bool:
        asked.append(identity)
        return len(asked) < 4

    assert Workspace(project).create("churn", taken=taken).id == asked[3]
    assert len(set(asked)) > 1


def test_a_workspace_is_not_made_over_another(project: Path) -> None:
    workspace = written(project)
    assert workspace.create("other", taken=nobody).id == "churn-00aa"
    assert workspace.read().name == "churn"


def test_what_is_committed_already_stays(project: Path) -> None:
    (project / ".mlox").mkdir()
    (project / ".mlox" / ".gitignore").write_text("mine")
    Workspace(project).create(taken=nobody)
    assert (project / ".mlox" / ".gitignore").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["Churn", "a b", "-a", "a--b", "1a", "a_b", "x" * 41, "a\nid: x", "a'b", 'a"b', "é", "a\0"]
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(project: Path, name: str) -> None:
    with pytest.raises(SpecError, match="cannot be a stack's name") as caught:
        Workspace(project).create(name, taken=nobody)
    assert (caught.value.hint or "").startswith("For example: mlox init ")
    assert list(project.iterdir()) == []


@given(st.text(max_size=60) | st.text(alphabet="0123456789-a ", max_size=60))
def test_every_folder_has_a_name_that_can_be(name: str) -> None:
    assert StackSpec(name=slug(name)).name == slug(name)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("My Churn_Model (2)", "my-churn-model-2"),
        ("churn", "churn"),
        ("2024", "stack-2024"),
        ("日本", "stack"),
        ("--", "stack"),
    ],
)
def test_the_name_of_a_folder_becomes_the_name_of_a_stack(folder: str, name: str) -> None:
    assert slug(folder) == name


# The stack of a workspace


def test_a_stack_has_the_name_of_its_workspace(project: Path) -> None:
    written(project)
    assert mlox.Stack(path=project).name == "churn"
    assert mlox.Stack("churn", path=project).id == "churn-00aa"
    with pytest.raises(SpecError, match="belongs to the stack 'churn', not 'other'") as caught:
        mlox.Stack("other", path=project)
    assert "'other'" in (caught.value.hint or "")


def test_a_stack_that_is_not_written_yet_has_no_id_and_writes_nothing(project: Path) -> None:
    stack = mlox.Stack("churn", path=project)
    assert (stack.name, stack.id, stack.names()) == ("churn", None, ())
    assert list(project.iterdir()) == []


def test_two_stacks_of_one_name_have_two_ids(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two", "three"):
        folder = tmp_path / name / "churn"
        folder.mkdir(parents=True)
        stack = mlox.Stack("churn", path=folder)
        stack.add("mlflow")
        assert stack.id is not None
        ids.add(stack.id)
    assert len(ids) == 3


def test_the_first_add_writes_version_and_wiring_and_nothing_moves_afterwards(project: Path) -> None:
    stack = mlox.Stack("churn", path=project)
    stack.add("mlflow", options={"workers": 2})
    text = (project / "mlox.yaml").read_text()
    service = stack.spec().services["mlflow"]
    assert (service.version, service.needs) == ("3.17.2", {"database": "embedded", "artifacts": "embedded"})
    stack.add("mlflow", options={"workers": 2})
    stack.add("mlflow")
    assert (project / "mlox.yaml").read_text() == text
    with pytest.raises(UsageError, match="workers is 2, not 3"):
        stack.add("mlflow", options={"workers": 3})
    assert (project / "mlox.yaml").read_text() == text


def test_two_at_once_do_not_lose_each_others_service(project: Path) -> None:
    mlox.Stack("churn", path=project).add("mlflow")
    names = [f"tracking-{number}" for number in range(4)]
    threads = [threading.Thread(target=mlox.Stack(path=project).add, args=("mlflow", name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(mlox.Stack(path=project).names()) == {"mlflow", *names}


def test_a_purge_takes_generated_secrets_that_a_killed_one_has_left(project: Path) -> None:
    stack = mlox.Stack("churn", path=project)
    stack.add("mlflow")
    store = stack.surroundings().store
    for name in ("mlflow.admin_password", "mlflow.of_mine", "OPENAI_API_KEY"):
        store.set(name, Secret("something"))
    stack.down("mlflow")
    assert len(store.names()) == 3
    stack.down("mlflow", purge=True)
    assert store.names() == ("OPENAI_API_KEY", "mlflow.of_mine")
