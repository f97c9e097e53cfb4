"""Whether files are whole, batches hold all in order, and wrong variables are told by name."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from project.utility_framework import Environment, EnvironmentProblem, atomic_file, chunks, chunks_within, write_atomic


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.json"
    write_atomic(path, "old\r\n")
    path.chmod(0o640)

    def fail() -> None:
        with atomic_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == b"old\r\n"
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["model.json"]


def test_a_new_file_has_the_mode_asked_for_and_a_link_stays_one(tmp_path: Path) -> None:
    write_atomic(tmp_path / "key", "x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "key")
    write_atomic(tmp_path / "link", "y")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "key").read_text() == "y"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path, done, seen = tmp_path / "value", threading.Event(), set()
    write_atomic(path, "a" * 100_000)

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for letter in "bcdefgh":
        write_atomic(path, letter * 100_000)
    done.set()
    reader.join()
    assert {len(text) for text in seen} == {100_000}
    assert {len(set(text)) for text in seen} == {1}


def test_chunks_hold_all_in_order() -> None:
    assert list(chunks(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []
    assert next(chunks(iter(int, 1), 2)) == [0, 0]  # something endless
    with pytest.raises(ValueError, match="at least one"):
        next(chunks([1], 0))


def test_chunks_stay_within_their_weight() -> None:
    words = ["aaa", "b", "", "cccc", "dd", "dd"]
    found = list(chunks_within(words, 4, len))
    assert found == [["aaa", "b", ""], ["cccc"], ["dd", "dd"]]
    with pytest.raises(ValueError, match="item 1 weighs 5, and the limit is 4"):
        list(chunks_within(["a", "bbbbb"], 4, len))


VARIABLES = Environment(
    "APP_",
    {"APP_N": " 7 ", "APP_X": "0.5", "APP_ON": "Yes", "APP_T": "1h30m", "APP_L": "a, b,,c", "APP_P": "/x", "APP_E": ""},
)


def test_variables_have_types() -> None:
    assert VARIABLES.integer("N") == 7
    assert VARIABLES.number("X") == 0.5
    assert VARIABLES.flag("ON") is True
    assert VARIABLES.seconds("T") == 5400
    assert VARIABLES.items("L") == ["a", "b", "c"]
    assert VARIABLES.path("P") == Path("/x")
    assert VARIABLES.choice("P", ("/w", "/x")) == "/x"
    assert VARIABLES.text("E", "else") == "else"
    assert VARIABLES.flag("GONE", default=False) is False


def test_a_wrong_variable_is_told_by_name_and_without_its_value() -> None:
    wrong = Environment("APP_", {"APP_PORT": "hunter2"})
    for read in (wrong.integer, wrong.number, wrong.flag, wrong.seconds):
        with pytest.raises(EnvironmentProblem, match="APP_PORT does not hold") as caught:
            read("PORT")
        assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(EnvironmentProblem, match="one of dev, prod"):
        wrong.choice("PORT", ("dev", "prod"))
    with pytest.raises(EnvironmentProblem, match="APP_HOST is not set"):
        wrong.text("HOST")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("250ms", 0.25), ("2d", 172800)])
def test_durations(text: str, seconds: float) -> None:
    assert Environment("", {"T": text}).seconds("T") == seconds
