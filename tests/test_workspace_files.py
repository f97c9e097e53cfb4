"""What a workspace's files say: read or one clear error, edited so that people recognise them, pinned once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.errors import SpecError, WorkspaceError
from mlox.journal import Edit
from mlox.lockfile import LockFile
from mlox.workspace import Workspace
from tests.workspace_stage import nobody, written

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


def test_digests_of_images_stand_beside_the_versions_of_packages(project: Path) -> None:
    lock = lock_in(project)
    assert lock.images() == {}
    lock.put_image("redis:7", "redis@sha256:1")
    lock.put("a", ("a==1",))
    lock.put_image("busybox:1", "busybox@sha256:2")
    lock.put_image("redis:7", "redis@sha256:3")
    assert lock.images() == {"busybox:1": "busybox@sha256:2", "redis:7": "redis@sha256:1"}
    assert lock.pins() == {"a": ("a==1",), "busybox:1": ("busybox@sha256:2",), "redis:7": ("redis@sha256:1",)}
    assert lock.path.read_text().splitlines()[1:] == [
        "packages:",
        '  "a":',
        '  - "a==1"',
        "images:",
        '  "busybox:1": "busybox@sha256:2"',
        '  "redis:7": "redis@sha256:1"',
    ]


COMMENTED = """\
# ours
images:   # from our mirror
    # the cache
    "redis:7": "redis@sha256:1"  # tested

# what colleagues install
packages:
  # for Ada
  "b":
  - "b==1"   # not 2
# the end
"""


def test_comments_in_the_lock_file_stay_where_they_are(project: Path) -> None:
    lock = lock_in(project)
    lock.path.write_text(COMMENTED)
    lock.put("a", ("a==1",))
    lock.put("c", ("c==1",))
    lock.put_image("alpine:3", "alpine@sha256:2")
    lock.put_image("zoo:1", "zoo@sha256:3")
    text = lock.path.read_text()
    lines = text.splitlines()
    assert [line for line in lines if line in COMMENTED.splitlines()] == COMMENTED.splitlines()
    assert lines.index('    "alpine:3": "alpine@sha256:2"') == lines.index("    # the cache") - 1
    assert lines.index('    "zoo:1": "zoo@sha256:3"') == lines.index('    "redis:7": "redis@sha256:1"  # tested') + 1
    assert lines.index('  "c":') == lines.index("# the end") - 2
    assert set(lock.pins()) == {"a", "b", "c", "alpine:3", "redis:7", "zoo:1"}


@pytest.mark.parametrize(
    "text",
    ["images: {}\n", "images:\n", "images: {a: b}\n", "packages: {}\nimages: {a: b} # x\n", "packages:\n  a: [a==1]"],
)
def test_a_lock_file_in_other_words_is_written_on(project: Path, text: str) -> None:
    lock = lock_in(project)
    lock.path.write_text(text)
    before = lock.pins()
    lock.put_image("redis:7", "redis@sha256:1")
    lock.put("z", ("z==1", "y==2"))
    assert lock.pins() == {**before, "redis:7": ("redis@sha256:1",), "z": ("z==1", "y==2")}
