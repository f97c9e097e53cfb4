"""The verb merge: what it writes and says, and that git merges with it as its driver."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.components.merge import python
from tests.git_stage import MLOX, commit, git
from tests.shell_stage import Say

BASE = "import os\n\nLIMIT = 3\nNAMES = ['a']\n"
LEFT = "import os\nimport re\n\nLIMIT = 4\nNAMES = ['a']\n"
RIGHT = "import os\nimport sys\n\nLIMIT = 3\nNAMES = ['a', 'b']\n"
BOTH = "import os\nimport re\nimport sys\n\nLIMIT = 4\nNAMES = ['a', 'b']\n"


@pytest.fixture
def sides(isolated: Path) -> Path:
    """Three files without an ending, as git names them."""
    for name, text in {"base": BASE, "left": LEFT, "right": RIGHT}.items():
        (isolated / name).write_text(text)
    return isolated


def test_the_result_is_written_and_the_rules_are_told(say: Say, sides: Path) -> None:
    (sides / "out").touch(mode=0o640)
    said = say("merge", "base", "left", "right", "-o", "out", "--path", "package/names.py")
    assert said.code == 0
    assert said.out == "package/names.py: solved what lines could not: adjacent, imports\n"
    assert (sides / "out").read_text() == BOTH
    assert (sides / "out").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in sides.iterdir()) == ["base", "left", "out", "right"]


@pytest.mark.usefixtures("sides")
def test_without_o_it_is_printed(say: Say) -> None:
    assert say("merge", "base", "left", "right", "--path", "names.py").out == BOTH
    answer = say("--json", "merge", "base", "left", "right", "--path", "names.py").json
    assert (answer["text"], answer["clean"], answer["conflicts"]) == (BOTH, True, [])
    assert {"rule": "imports", "key": "import sys"} in answer["applied"]


def test_without_a_name_it_is_lines(say: Say, sides: Path) -> None:
    said = say("merge", "base", "left", "right", "-o", "out")
    assert said.code == 1
    assert (sides / "out").read_text() == mlox.merge(BASE, LEFT, RIGHT).text
    assert "left:2: line 2: both sides changed these lines" in said.out.splitlines()


def test_what_is_left_is_told_with_its_line(say: Say, sides: Path) -> None:
    (sides / "right").write_text(RIGHT.replace("LIMIT = 3", "LIMIT = 5"))
    said = say("merge", "base", "left", "right", "-o", "left", "--path", "names.py")
    assert said.code == 1
    lines = (sides / "left").read_text().splitlines()
    assert said.out.splitlines()[0] == "names.py:5: = LIMIT: both sides change it"
    assert lines[4:11] == [
        *("<<<<<<< mine", "LIMIT = 4", "||||||| base", "LIMIT = 3", "=======", "LIMIT = 5", ">>>>>>> theirs"),
    ]
    assert lines[:3] == ["import os", "import re", "import sys"]


def test_a_dry_run_writes_nothing(say: Say, sides: Path) -> None:
    assert say("--dry-run", "merge", "base", "left", "right", "-o", "out", "--path", "a.py").code == 0
    assert not (sides / "out").exists()


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("base", "left", "nowhere"), 1, "hint: Name three files."),
        (("base", "left", "right", "-o", "no/where"), 1, "hint: Name another file."),
        (("base", "left", "right", "--level", "bold"), 2, "hint: Say one of: strict, full."),
        (("base", "left"), 2, "hint: See: mlox help merge."),
    ],
)
@pytest.mark.usefixtures("sides")
def test_a_wrong_call_is_told(say: Say, words: tuple[str, ...], code: int, hint: str) -> None:
    said = say("merge", *words)
    assert (said.code, said.err.splitlines()[-1]) == (code, hint)


def test_where_it_breaks_gits_text_is_there(say: Say, sides: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(python, "merge_python", broken)
    said = say("merge", "base", "left", "right", "-o", "left", "--path", "a.py")
    assert said.code == 1
    assert "a defect in mlox" in said.err
    assert (sides / "left").read_text() == mlox.merge(BASE, LEFT, RIGHT).text


def test_it_does_not_take_a_workspace(say: Say, sides: Path) -> None:
    say("merge", "base", "left", "right", "-o", "out")
    assert not (sides / ".mlox").exists()


@pytest.fixture
def repository(isolated: Path) -> Path:
    """Two branches that changed one file, and the driver for it."""
    git("init", "-q", "-b", "main")
    git("config", "merge.mlox.driver", f"{MLOX} merge %O %A %B -o %A --path %P")
    commit(".gitattributes", "*.py merge=mlox\n")
    commit("names.py", BASE)
    git("checkout", "-q", "-b", "theirs")
    commit("names.py", RIGHT)
    git("checkout", "-q", "main")
    commit("names.py", LEFT)
    return isolated


def test_git_merges_with_it(repository: Path) -> None:
    git("merge", "--no-edit", "theirs")
    assert (repository / "names.py").read_text() == BOTH
    assert git("status", "--porcelain") == ""


def test_git_is_told_of_conflicts(repository: Path) -> None:
    git("checkout", "-q", "theirs")
    commit("names.py", RIGHT.replace("LIMIT = 3", "LIMIT = 5"))
    git("checkout", "-q", "main")
    said = git("merge", "--no-edit", "theirs", code=1)
    assert "CONFLICT (content): Merge conflict in names.py" in said
    assert git("diff", "--name-only", "--diff-filter=U").split() == ["names.py"]
    text = (repository / "names.py").read_text()
    assert text.count("<<<<<<<") == 1
    assert text.startswith("import os\nimport re\nimport sys\n")


def test_a_clean_merge_is_the_same_as_without_it(repository: Path) -> None:
    commit("long.py", "a = 1\n\n\nb = 2\n\n\nc = 3\n")
    git("checkout", "-q", "-b", "other")
    commit("long.py", "a = 10\n\n\nb = 2\n\n\nc = 3\n")
    git("checkout", "-q", "main")
    commit("long.py", "a = 1\n\n\nb = 2\n\n\nc = 30\n")
    git("merge", "--no-edit", "other")
    assert (repository / "long.py").read_text() == "a = 10\n\n\nb = 2\n\n\nc = 30\n"


def test_the_line_of_the_docs_is_the_drivers() -> None:
    told = (Path(__file__).parents[1] / "docs/merge.md").read_text("utf-8")
    assert "mlox merge %O %A %B -o %A --path %P" in told
    assert "\n*.py merge=mlox\n" in told
