"""Where a stack is written down: found upward, made once, edited so that people recognise it."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlox
from mlox.errors import SpecError, UsageError, WorkspaceError
from mlox.journal import Edit
from mlox.secret import Secret
from mlox.specs import StackSpec
from mlox.workspace import LockFile, Workspace, data_home, slug


def nobody(_: str) -> bool:
    return False


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of somebody, below a home folder of theirs."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def written(folder: Path, text: str = "name: churn\nid: churn-00aa\n") -> Workspace:
    (folder / "mlox.yaml").write_text(text, encoding="utf-8")
    return Workspace(folder)


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


# Reading


def test_without_a_stack_there_is_a_way_to_one(project: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"no mlox\.yaml in .*project or above") as caught:
        Workspace(project).read()
    assert caught.value.hint == "Make this folder a workspace: mlox init."


HOSTILE = {
    "empty": b"",
    "NUL": b"name: a\0b\n",
    "Latin 1": "name: caf\xe9\n".encode("latin-1"),
    "UTF-16": "name: churn\n".encode("utf-16"),
    "binary": bytes(range(256)),
    "tags": b"name: !!python/object/apply:os.system [echo]\n",
    "a bomb": b"a: &a [x, x]\nb: &b [*a, *a]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"cdefgh"),
    "itself": b"name: &a [*a]\n",
    "a key twice": b"name: a\nname: b\n",
    "too large": b"#" * 1_000_001,
    "conflict": b"<<<<<<< HEAD\nname: a\n=======\nname: b\n>>>>>>> x\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_content_is_one_clear_error_and_stays_as_it_is(project: Path, content: bytes) -> None:
    path = project / "mlox.yaml"
    path.write_bytes(content)
    workspace = Workspace(project)
    for act in (
        workspace.read,
        lambda: workspace.put_service("db", {"service": "redis"}),
        lambda: workspace.drop_service("db"),
        lambda: workspace.give_id(taken=nobody),
    ):
        with pytest.raises(SpecError, match=r"mlox\.yaml"):
            act()
    assert path.read_bytes() == content


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"name: a\nservices: " + tail))
def test_any_content_is_a_stack_or_one_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "mlox.yaml").write_bytes(content)
    try:
        Workspace(folder).read()
    except SpecError as error:
        assert "mlox.yaml" in error.problem


def test_an_error_names_the_file_from_where_one_stands(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = written(project, "name: churn\nservces: {}\n")
    with pytest.raises(SpecError) as caught:
        workspace.read()
    assert caught.value.problem == f"{project}/mlox.yaml:2: unknown key 'servces'"
    monkeypatch.chdir(project)
    with pytest.raises(SpecError) as caught:
        workspace.read()
    assert caught.value.problem == "mlox.yaml:2: unknown key 'servces'"
    assert caught.value.hint == "Did you mean 'services'?"


def test_a_file_that_cannot_be_read(project: Path) -> None:
    (project / "mlox.yaml").mkdir()
    with pytest.raises(WorkspaceError, match="cannot read .*mlox.yaml"):
        Workspace(project).read()


# Editing

TEXT = """\
# ours
name: churn  # the name

services:
    redis:  # cache
        service: redis
        version: '7.0.15'

# later: alerts
"""


def test_an_id_that_a_person_left_out_is_written_below_the_name(project: Path) -> None:
    workspace = written(project, TEXT)
    spec = workspace.give_id(taken=nobody)
    assert spec.id is not None
    assert workspace.path.read_text() == TEXT.replace("# the name\n", f"# the name\nid: {spec.id}\n")
    assert workspace.give_id(taken=nobody) == spec


def test_an_id_without_a_value_gets_one(project: Path) -> None:
    workspace = written(project, "name: churn\nid:  # not yet\n")
    spec = workspace.give_id(taken=nobody)
    assert workspace.path.read_text() == f"name: churn\nid: {spec.id}  # not yet\n"


def test_a_service_comes_and_goes_without_a_trace(project: Path) -> None:
    workspace = written(project, TEXT)
    spec = workspace.put_service(
        "tracking", {"service": "mlflow", "version": "3.17.2", "needs": {"database": "embedded"}}
    )
    assert spec == workspace.read()
    assert spec.services["tracking"].needs == {"database": "embedded"}
    assert list(spec.services) == ["redis", "tracking"]
    assert workspace.drop_service("tracking") == workspace.read()
    assert workspace.path.read_text() == TEXT


def test_values_of_a_service_are_written_beside_the_others(project: Path) -> None:
    workspace = written(project, TEXT)
    workspace.put_service("redis", {"options": {"appendfsync": "no"}})
    spec = workspace.put_service("redis", {"options": {"maxmemory_mb": 5}})
    assert spec.services["redis"].options == {"appendfsync": "no", "maxmemory_mb": 5}
    assert spec.services["redis"].version == "7.0.15"
    assert "# later: alerts" in workspace.path.read_text()


@pytest.mark.parametrize(
    "values", [{"service": "redis", "versoin": "7"}, {"service": "Not A Name"}, {"options": {"x": [1]}}, {}]
)
def test_an_edit_that_cannot_be_is_not_written(project: Path, values: dict[str, object]) -> None:
    workspace = written(project, TEXT)
    with pytest.raises(SpecError):
        workspace.put_service("new", values)
    assert workspace.path.read_text() == TEXT


def test_a_read_only_workspace_is_told_and_not_changed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = written(project, TEXT)
    opened = os.open

    def refusing(path: object, flags: int, *rest: int, **options: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return opened(str(path), flags, *rest, **options)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(WorkspaceError, match="Read-only file system") as caught:
        workspace.put_service("db", {"service": "redis"})
    assert "nothing was changed" in (caught.value.hint or "")
    monkeypatch.undo()
    assert workspace.path.read_text() == TEXT


def test_an_edit_of_somebody_else_in_between_is_not_lost(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = written(project, TEXT)
    write = workspace.journal.write

    def late(edits: list[Edit]) -> None:
        workspace.path.write_text(TEXT + "# by hand\n")
        write(edits)

    monkeypatch.setattr(workspace.journal, "write", late)
    with pytest.raises(WorkspaceError, match="changed by somebody else meanwhile"):
        workspace.put_service("db", {"service": "redis"})
    assert workspace.path.read_text() == TEXT + "# by hand\n"


# The lock file


def lock_in(folder: Path) -> LockFile:
    return Workspace(folder).lock


def test_pins_are_kept_by_their_packages(project: Path) -> None:
    lock = lock_in(project)
    assert lock.read() == {}
    lock.put("mlflow[auth]==3.17.2", ("mlflow==3.17.2", 'colorama==0.4.6 ; sys_platform == "win32"', "a\\b"))
    lock.put("boto3, mlflow", ("boto3==1.0",))
    assert lock_in(project).read() == {
        "mlflow[auth]==3.17.2": ("mlflow==3.17.2", 'colorama==0.4.6 ; sys_platform == "win32"', "a\\b"),
        "boto3, mlflow": ("boto3==1.0",),
    }


def test_pins_that_are_there_are_never_changed(project: Path) -> None:
    lock = lock_in(project)
    lock.put("a", ("a==1",))
    before = lock.path.read_bytes()
    lock.put("a", ("a==2",))
    assert lock.path.read_bytes() == before


def test_the_lock_file_does_not_depend_on_the_order(tmp_path: Path) -> None:
    texts = []
    for keys in ("abc", "cba"):
        folder = tmp_path / keys
        folder.mkdir()
        for key in keys:
            lock_in(folder).put(key, (f"{key}==1",))
        texts.append((folder / "mlox.lock.yaml").read_text())
    assert texts[0] == texts[1]
    assert texts[0].startswith("# ")


@pytest.mark.parametrize(
    "content", [b"[]", b"a: 1", b"packages: [a]", b"packages: {a: b}", b"packages: {a: [", b"\xff\xfe", b"<<<<<<< x\n"]
)
def test_a_broken_lock_file_is_told(project: Path, content: bytes) -> None:
    lock = lock_in(project)
    lock.path.write_bytes(content)
    with pytest.raises(SpecError, match=r"mlox\.lock\.yaml") as caught:
        lock.read()
    assert caught.value.hint


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
