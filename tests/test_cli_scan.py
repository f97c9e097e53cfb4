"""What `mlox secrets scan` says of a folder, a history and a commit; a hook and a filter of git, with git itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlox.secret import MASK
from tests.git_stage import MLOX, commit, git, planted, written
from tests.shell_stage import PASSWORD, Said, Say, files

pytestmark = pytest.mark.usefixtures("no_reports")


@pytest.fixture
def here(demo: Say, isolated: Path) -> Say:
    """A workspace with one secret, in a repository of one commit."""
    del isolated
    git("init", "--initial-branch=main")
    assert demo("secrets", "set", "TOKEN", stdin=PASSWORD).code == 0
    git("add", ".")
    git("commit", "-m", "begin")
    return demo


def found(said: Said) -> list[tuple[str, str, str]]:
    """File, place and name of what was found, without commits; the exit code says that there was something."""
    assert PASSWORD not in said.out + said.err
    return [(f["file"], f["where"], f["name"]) for f in _findings(said) if not f["commit"]]


def _findings(said: Said) -> list[dict[str, str]]:
    import json

    rows: list[dict[str, str]] = json.loads(said.out)["findings"]
    assert said.code == (4 if rows else 0), said
    return rows


def test_nothing_to_find(here: Say) -> None:
    said = here("secrets", "scan")
    assert (said.code, said.out) == (0, "nothing found\n")


def test_files_are_told_by_line_and_cell(here: Say, isolated: Path) -> None:
    (isolated / "train.py").write_text(f"import os\nkey = '{PASSWORD}'\n")
    (isolated / "a b.ipynb").write_text(written(planted(PASSWORD)["error"]))
    (isolated / ".gitignore").write_text("ignored.txt\n")
    (isolated / "ignored.txt").write_text(PASSWORD)
    said = here("secrets", "scan")
    assert said.code == 4
    assert [line.split("  ")[0] for line in said.out.splitlines()[:2]] == ["a b.ipynb", "train.py"]
    assert PASSWORD not in said.out
    assert found(here("--json", "secrets", "scan")) == [
        ("a b.ipynb", "cell 1, output", "TOKEN"),
        ("train.py", "line 2", "TOKEN"),
    ]
    assert found(here("--json", "secrets", "scan", "train.py")) == [("train.py", "line 2", "TOKEN")]
    assert found(here("--json", "secrets", "scan", "ignored.txt")) == [("ignored.txt", "line 1", "TOKEN")]


def test_a_path_that_is_not_there_is_an_error(here: Say) -> None:
    said = here("secrets", "scan", "nowhere")
    assert said.code == 1
    assert "there is no" in said.err


def test_what_was_committed_once_is_found_in_every_ref_and_message(here: Say) -> None:
    commit("old.py", f"key = '{PASSWORD}'\n")
    commit("old.py", "key = None\n", message=f"take out {PASSWORD}")
    git("checkout", "-b", "side")
    commit("side.ipynb", written(planted(PASSWORD)["metadata"]))
    git("checkout", "main")
    git("tag", "-a", "v1", "-m", PASSWORD)
    Path("stashed.txt").write_text(PASSWORD)
    git("add", "stashed.txt")
    git("stash")
    for _ in range(2):  # the second time, what was clean is not looked at again
        rows = _findings(here("--json", "secrets", "scan"))
        assert all(row["commit"] for row in rows)
        assert {(row["file"], row["where"]) for row in rows} == {
            ("old.py", "line 1"),
            ("side.ipynb", "metadata"),
            ("stashed.txt", "line 1"),
            *{(row["file"], row["where"]) for row in rows if row["file"].endswith("message)")},
        }
        assert {row["file"] for row in rows} >= {"(commit message)", "(tag message)"}
    (first,) = (row["commit"] for row in rows if row["file"] == "old.py")
    assert git("show", "--no-patch", "--format=%s", first).strip() == "change"
    assert _findings(here("--json", "secrets", "scan", "--no-history")) == []
    assert "what was committed stays in every clone" in here("secrets", "scan").out


def test_what_is_remembered_is_forgotten_with_a_new_secret(here: Say) -> None:
    commit("old.py", "key = 'what-will-be-a-secret'\n")
    assert _findings(here("--json", "secrets", "scan")) == []
    here("secrets", "set", "LATE", stdin="what-will-be-a-secret")
    assert {row["file"] for row in _findings(here("--json", "secrets", "scan"))} == {"old.py"}


def test_what_a_secret_was_before_is_found_in_the_history_with_its_version(here: Say) -> None:
    version = here("--json", "secrets", "get", "TOKEN").json["version"]
    commit("old.py", f"key = '{PASSWORD}'\n")
    commit("old.py", "")
    here("secrets", "set", "TOKEN", stdin="another-value")
    commit("new.py", f"key = 'another-value'  # not {PASSWORD}\n")
    rows = _findings(here("--json", "secrets", "scan"))
    assert sorted((row["file"], bool(row["commit"]), row["version"]) for row in rows) == sorted(
        [("new.py", False, ""), ("new.py", True, ""), ("new.py", True, version), ("old.py", True, version)]
    )
    said = here("secrets", "scan")
    assert "values that have been replaced since are among it" in said.out


def test_a_value_that_is_set_again_is_not_an_older_one(here: Say) -> None:
    commit("old.py", f"key = '{PASSWORD}'\n")
    here("secrets", "set", "TOKEN", stdin="another-value")
    here("secrets", "set", "TOKEN", stdin=PASSWORD)
    assert {row["version"] for row in _findings(here("--json", "secrets", "scan"))} == {""}


def test_fix_scrubs_outputs_and_says_what_it_cannot_do(here: Say, isolated: Path) -> None:
    commit("out.ipynb", written(planted(PASSWORD)["split"]))
    (isolated / "source.ipynb").write_text(written(planted(PASSWORD)["cell 1"]))
    before = files(isolated)
    dry = here("--dry-run", "secrets", "scan", "--fix", "--no-history")
    assert "would be replaced in the outputs of: out.ipynb" in dry.out
    assert files(isolated) == before
    said = here("secrets", "scan", "--fix")
    assert said.code == 4
    assert "replaced in the outputs of: out.ipynb" in said.out
    assert "only you can take it out" in said.out
    assert "stays in every clone" in said.out
    assert MASK in (isolated / "out.ipynb").read_text()
    changed = {name for name, content in files(isolated).items() if before.get(name) != content}
    assert {Path(name).name for name in changed if "/.mlox/" not in name and "/.git/" not in name} == {"out.ipynb"}
    again = here("--json", "secrets", "scan", "--fix", "--no-history")
    assert found(again) == [("source.ipynb", "cell 1", "TOKEN")]


def test_without_a_workspace_shapes_are_looked_for(say: Say, isolated: Path) -> None:
    (isolated / "a.py").write_text("key = 'AKIA" + "IOSFODNN7EXAMPLE'\n")
    said = say("secrets", "scan")
    assert said.code == 4
    assert said.out.splitlines()[0].split("  ")[0] == "a.py"
    assert "no workspace here: only known shapes of keys were looked for" in said.out


def test_without_the_library_that_is_said(here: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    said = here("secrets", "scan")
    assert said.code == 0
    assert "pip install 'mlox-sdk[scan]'" in said.out


def test_what_cannot_be_opened_is_named(here: Say, data_home: Path) -> None:
    identity = data_home / "identity"
    kept = identity.read_bytes()
    identity.unlink()
    try:
        said = here("secrets", "scan")
    finally:
        identity.write_bytes(kept)
        identity.chmod(0o600)
    assert "not looked for, since you cannot open them: TOKEN" in said.out


@pytest.mark.parametrize("words", [("--fix", "--staged"), ("--clean", "--fix"), ("--clean", "a.ipynb")])
def test_options_that_contradict_each_other(here: Say, words: tuple[str, ...]) -> None:
    assert here("secrets", "scan", *words).code == 2


def test_a_folder_without_git(demo: Say, isolated: Path) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    (isolated / "deep").mkdir()
    (isolated / "deep" / "a.txt").write_text(f"x {PASSWORD}")
    assert found(demo("--json", "secrets", "scan")) == [("deep/a.txt", "line 1", "TOKEN")]
    assert demo("secrets", "scan", "--staged").code == 2


# With git itself


def test_a_hook_refuses_a_commit_that_holds_a_value(here: Say, isolated: Path) -> None:
    del here
    hook = isolated / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\nexec {MLOX} secrets scan --staged\n")
    hook.chmod(0o755)
    said = commit("train.py", f"key = '{PASSWORD}'\n", code=1)
    assert "train.py  line 1  secret  TOKEN" in said
    assert PASSWORD not in said
    Path("train.py").write_text("key = None\n")
    assert "train.py" in git("commit", "-m", "still what was staged", code=1)
    git("add", "train.py")
    git("commit", "-m", "without it")
    assert PASSWORD not in git("log", "-p", "--all")


def test_a_filter_keeps_values_out_of_what_is_committed(here: Say, isolated: Path) -> None:
    del here
    git("config", "filter.mlox.clean", f"{MLOX} secrets scan --clean")
    git("config", "filter.mlox.required", "true")
    (isolated / ".gitattributes").write_text("*.ipynb filter=mlox\n")
    commit("a.ipynb", written(planted(PASSWORD)["stream"]))
    commit("plain.ipynb", written(planted("nothing-of-note")["stream"]).rstrip("\n"))
    assert PASSWORD in (isolated / "a.ipynb").read_text()
    assert git("show", "HEAD~1:a.ipynb") == written(planted(MASK)["stream"])
    assert git("show", "HEAD:plain.ipynb") == (isolated / "plain.ipynb").read_text()
    assert git("status", "--porcelain", "--untracked-files=no") == ""
    assert PASSWORD not in git("log", "-p", "--all")
    assert not [name for name, content in files(isolated / ".git").items() if PASSWORD.encode() in content]


def test_a_filter_that_fails_lets_nothing_through(here: Say, isolated: Path) -> None:
    del here
    git("config", "filter.mlox.clean", f"{MLOX} secrets scan --clean")
    git("config", "filter.mlox.required", "true")
    (isolated / ".gitattributes").write_text("*.ipynb filter=mlox\n")
    (isolated / "a.ipynb").write_text(written(planted(PASSWORD)["stream"]))
    (isolated / "mlox.yaml").write_text("name: [")
    git("add", "a.ipynb", code=128)


def test_pre_commit_finds_the_hook_of_this_repository() -> None:
    from tests.source_tree import ROOT

    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "entry: mlox secrets scan --staged" in (ROOT / ".pre-commit-hooks.yaml").read_text()
