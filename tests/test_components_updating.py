"""What an update makes of a component that its user has changed, moved, deleted, or left alone."""

from __future__ import annotations

import pytest

from mlox.components.records import digest_of
from mlox.components.updating import Update
from mlox.errors import SpecError, UsageError, WorkspaceError
from tests.component_stage import LOUDER, WORDS, WORDS_PATH, Shop, newer, offer, template_files

INIT_PATH = "src/churn/greeting/__init__.py"


def with_another_file(shop: Shop) -> None:
    """The registry has version 1.1, with one file more."""
    files = template_files(version="1.1") | {"src/project/greeting/more.py": b"MORE = 1\n"}
    files["component.yaml"] = files["component.yaml"].replace(b"words.py]", b"words.py, more.py]")
    offer(shop.root, files)


def told(update: Update) -> dict[str, str]:
    return {change.path: change.word for change in update.changes}


def test_a_file_that_nobody_touched_becomes_the_new_one(shop: Shop) -> None:
    shop.add()
    newer(shop)
    assert shop.state() == "update"
    assert told(shop.update()) == {WORDS_PATH: "updated"}
    assert "Welcome" in shop.read(WORDS_PATH)
    assert shop.state() == "clean"
    assert shop.components.added()["greeting"].version == "1.1"
    assert shop.changes.plan_update("greeting", shop.template()) is None


def test_an_update_is_the_same_as_adding_the_new_one(shop: Shop) -> None:
    shop.add()
    newer(shop)
    shop.update()
    after = shop.tree()
    shop.remove()
    shop.add()
    assert shop.tree() == after


def test_what_the_user_added_stays(shop: Shop) -> None:
    shop.add()
    mine = shop.read(WORDS_PATH) + "\n\ndef bye() -> str:\n    return 'Bye'\n"
    shop.put(WORDS_PATH, mine)
    newer(shop)
    update = shop.update()
    assert told(update) == {WORDS_PATH: "merged"}
    assert shop.read(WORDS_PATH) == mine.replace("Hello", "Welcome")
    assert shop.state() == "edited"


def test_what_both_changed_is_the_users_and_waits_for_him(shop: Shop) -> None:
    shop.add()
    mine = shop.read(WORDS_PATH).replace("Hello", "Good day")
    shop.put(WORDS_PATH, mine)
    newer(shop)
    update = shop.update()
    assert told(update) == {WORDS_PATH: "conflict"}
    assert update.conflicts[0].conflicts
    assert shop.read(WORDS_PATH) == mine
    assert "Welcome" in shop.read(f".mlox/local/incoming/greeting/{WORDS_PATH}")
    assert shop.state() == "conflict"
    newer(shop, version="1.2")
    with pytest.raises(UsageError, match="waits for you"):
        shop.update()


@pytest.mark.parametrize("side", ["mine", "theirs"])
def test_it_is_settled(shop: Shop, side: str) -> None:
    shop.add()
    mine = shop.read(WORDS_PATH).replace("Hello", "Good day")
    shop.put(WORDS_PATH, mine)
    newer(shop)
    shop.update()
    assert shop.changes.resolve("greeting", side).files == (WORDS_PATH,)  # type: ignore[arg-type]
    assert shop.read(WORDS_PATH) == (mine if side == "mine" else mine.replace("Good day", "Welcome"))
    assert shop.state() == ("edited" if side == "mine" else "clean")
    assert not (shop.root / ".mlox/local/incoming/greeting" / WORDS_PATH).exists()
    record = shop.components.added()["greeting"]
    assert {path.name for path in (shop.root / ".mlox/base").iterdir()} == record.bases
    with pytest.raises(UsageError, match="nothing to resolve"):
        shop.changes.resolve("greeting", "mine")


def test_a_person_writes_it(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, shop.read(WORDS_PATH).replace("Hello", "Good day"))
    newer(shop)
    shop.update()
    for wrong, problem in ((b"def greet(:\n", "not Python"), (b"a = 1\n<<<<<<< mine\n", "markers")):
        with pytest.raises(WorkspaceError, match=problem):
            shop.changes.resolve("greeting", "mine", {WORDS_PATH: wrong})
    assert shop.state() == "conflict"
    written = LOUDER.replace(b"Welcome", b"Good day and welcome")
    shop.changes.resolve("greeting", "mine", {WORDS_PATH: written})
    assert shop.read(WORDS_PATH) == written.decode()


def test_the_same_change_on_both_sides_is_nothing(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, LOUDER)
    newer(shop)
    assert told(shop.update()) == {}
    assert shop.state() == "clean"


def test_what_the_user_deleted_stays_deleted_and_is_told(shop: Shop) -> None:
    shop.add()
    (shop.root / WORDS_PATH).unlink()
    newer(shop)
    assert told(shop.update()) == {WORDS_PATH: "gone"}
    assert not (shop.root / WORDS_PATH).exists()
    assert shop.state() == "missing"
    shop.changes.resolve("greeting", "mine")
    assert shop.state() == "clean"
    assert WORDS_PATH not in shop.components.added()["greeting"].files


def test_what_the_user_deleted_can_be_had_back(shop: Shop) -> None:
    shop.add()
    (shop.root / WORDS_PATH).unlink()
    newer(shop)
    shop.update()
    shop.changes.resolve("greeting", "theirs")
    assert shop.read(WORDS_PATH) == LOUDER.decode()


def test_a_file_that_the_user_moved_is_followed(shop: Shop) -> None:
    shop.add()
    mine = shop.read(WORDS_PATH)
    (shop.root / WORDS_PATH).unlink()
    shop.put("src/churn/texts/phrases.py", mine + "\nMINE = 1\n")
    newer(shop)
    assert told(shop.update()) == {"src/churn/texts/phrases.py": "merged"}
    assert shop.read("src/churn/texts/phrases.py") == mine.replace("Hello", "Welcome") + "\nMINE = 1\n"
    assert not (shop.root / WORDS_PATH).exists()
    newer(shop, LOUDER.replace(b"Welcome", b"Hi"), version="1.2")
    assert told(shop.update()) == {"src/churn/texts/phrases.py": "merged"}


def test_a_file_that_upstream_renamed_takes_the_edits_along(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, shop.read(WORDS_PATH) + "\nMINE = 1\n")
    files = template_files(version="1.1")
    del files["src/project/greeting/words.py"]
    files["src/project/greeting/phrases.py"] = LOUDER
    files["component.yaml"] = files["component.yaml"].replace(b"words.py", b"phrases.py")
    files["src/project/greeting/__init__.py"] = files["src/project/greeting/__init__.py"].replace(
        b".words", b".phrases"
    )
    offer(shop.root, files)
    new = "src/churn/greeting/phrases.py"
    assert told(shop.update()) == {INIT_PATH: "updated", new: "merged"}
    assert shop.read(new) == LOUDER.decode() + "\nMINE = 1\n"
    assert not (shop.root / WORDS_PATH).exists()


def test_files_that_come_and_go(shop: Shop) -> None:
    shop.add()
    with_another_file(shop)
    assert told(shop.update())["src/churn/greeting/more.py"] == "added"
    newer(shop, WORDS, version="1.2")
    assert told(shop.update())["src/churn/greeting/more.py"] == "removed"
    assert not (shop.root / "src/churn/greeting/more.py").exists()


def test_a_file_that_upstream_dropped_stays_where_it_was_edited(shop: Shop) -> None:
    shop.add()
    with_another_file(shop)
    shop.update()
    shop.put("src/churn/greeting/more.py", "MORE = 2\n")
    newer(shop, WORDS, version="1.2")
    assert told(shop.update())["src/churn/greeting/more.py"] == "kept"
    assert shop.read("src/churn/greeting/more.py") == "MORE = 2\n"


def test_a_new_file_where_the_user_has_one(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/greeting/more.py", "MINE = 1\n")
    with_another_file(shop)
    assert told(shop.update())["src/churn/greeting/more.py"] == "conflict"
    assert shop.read("src/churn/greeting/more.py") == "MINE = 1\n"
    shop.changes.resolve("greeting", "theirs")
    assert shop.read("src/churn/greeting/more.py") == "MORE = 1\n"


def test_options_change_in_place(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, shop.read(WORDS_PATH) + "\nMINE = 1\n")
    assert told(shop.update(times=3)) == {WORDS_PATH: "merged"}
    assert "TIMES: int = 3" in shop.read(WORDS_PATH)
    assert shop.components.added()["greeting"].options["times"] == 3


def test_requirements_come_and_go(shop: Shop) -> None:
    shop.put("pyproject.toml", '[project]\nname = "churn"\ndependencies = [\n    "attrs",  # mine\n]\n')
    before = shop.read("pyproject.toml")
    shop.add()
    offer(shop.root, template_files(version="1.1", dependencies='["wcwidth>=0.2"]'))
    shop.update()
    assert "tabulate" not in shop.read("pyproject.toml")
    assert "wcwidth>=0.2" in shop.read("pyproject.toml")
    shop.remove()
    assert shop.read("pyproject.toml") == before


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_line_ends_and_a_mark_stay(shop: Shop, ends: str, mark: str) -> None:
    shop.add()
    mine = mark + (shop.read(WORDS_PATH) + "\nMINE = 1\n").replace("\n", ends)
    shop.put(WORDS_PATH, mine)
    newer(shop)
    shop.update()
    assert shop.read(WORDS_PATH) == mine.replace("Hello", "Welcome")


@pytest.mark.parametrize(
    ("text", "where"),
    [("def greet(:\n", ":1:"), ("<<<<<<< mine\nA = 1\n=======\n", ":1:"), ("%matplotlib inline\n", ":1:")],
)
def test_a_file_that_is_no_python_is_refused_and_nothing_is_written(shop: Shop, text: str, where: str) -> None:
    shop.add()
    shop.put(WORDS_PATH, text)
    newer(shop)
    before = shop.tree()
    with pytest.raises(WorkspaceError) as caught:
        shop.update()
    assert caught.value.problem.startswith(f"{WORDS_PATH}{where}")
    assert shop.tree() == before


def test_a_broken_file_of_somebody_else_is_none_of_its_business(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/broken.py", "def (:\n")
    newer(shop)
    shop.update()


def test_a_base_that_was_damaged_is_told(shop: Shop) -> None:
    record = shop.add()
    shop.put(f".mlox/base/{record.files[WORDS_PATH].base}", "something else")
    newer(shop)
    with pytest.raises(SpecError, match="was changed"):
        shop.update()


@pytest.mark.slow
def test_a_file_of_twenty_thousand_lines_is_merged(shop: Shop) -> None:
    many = "".join(f"\n\ndef say_{number}() -> str:\n    return '{number}'\n" for number in range(5_000))
    base = WORDS + b"\n\nLOW = 1\nHIGH = 2\n" + many.encode()
    assert base.count(b"\n") > 20_000
    newer(shop, base, version="1.0")
    shop.add()
    shop.put(WORDS_PATH, base.replace(b"LOW = 1", b"LOW = 0").replace(b"'4999'", b"'last'"))
    newer(shop, base.replace(b"HIGH = 2", b"HIGH = 3").replace(b"'2000'", b"'middle'"))
    assert told(shop.update()) == {WORDS_PATH: "merged"}
    expected = base.replace(b"LOW = 1\nHIGH = 2", b"LOW = 0\nHIGH = 3").replace(b"'4999'", b"'last'")
    assert shop.read(WORDS_PATH).encode() == expected.replace(b"'2000'", b"'middle'")


def test_the_same_version_with_another_text_is_refused(shop: Shop) -> None:
    shop.add()
    newer(shop, version="1.0")
    with pytest.raises(SpecError, match="the same version has another digest"):
        shop.update()


def test_only_texts_that_are_needed_are_kept(shop: Shop) -> None:
    shop.add()
    for number in range(3):
        newer(shop, WORDS.replace(b"Hello", b"Hello" * (number + 2)), version=f"1.{number + 1}")
        shop.update()
    record = shop.components.added()["greeting"]
    assert {path.name for path in (shop.root / ".mlox/base").iterdir()} == record.bases
    assert all(digest_of(path.read_bytes()) == path.name for path in (shop.root / ".mlox/base").iterdir())


def test_blank_lines_at_the_end_are_no_conflict_with_what_upstream_adds_there(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, shop.read(WORDS_PATH).partition("\n\ndef greet")[0] + "\n\n\n")
    newer(shop, WORDS + b'\n\ndef bye() -> str:\n    return "Bye"\n')
    assert not shop.update().conflicts
