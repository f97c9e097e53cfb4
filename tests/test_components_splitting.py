"""A definition that the user put into another file gets what upstream changes of it there."""

from __future__ import annotations

from tests.component_stage import LOUDER, WORDS, WORDS_PATH, Shop, newer

OWN_PATH = "src/churn/greeting/saying.py"
TIMES = "from __future__ import annotations\n\nfrom .words import TIMES\n\n\n"
HEAD, _, BODY = WORDS.decode().partition("def greet")
GREET = f"def greet{BODY}"


def split(shop: Shop, own: str = TIMES + GREET) -> None:
    shop.add()
    shop.put(WORDS_PATH, f"{HEAD}def bye() -> str:\n    return 'Bye'\n")
    shop.put(OWN_PATH, own)


def test_what_upstream_changed_arrives_where_the_user_has_it(shop: Shop) -> None:
    split(shop, f"{TIMES}MINE = 1\n\n\n@mine\n{GREET}    # mine\n\n\ndef own() -> int:\n    return 1\n")
    words, own = shop.read(WORDS_PATH), shop.read(OWN_PATH)
    newer(shop)
    update = shop.update()
    assert not update.conflicts
    assert {change.path: change.word for change in update.changes}[OWN_PATH] == "merged"
    assert shop.read(OWN_PATH) == own.replace('return f"Hello', 'return f"Welcome')
    assert shop.read(WORDS_PATH) == words
    assert shop.state() == "edited"
    newer(shop, LOUDER.replace(b"Welcome", b"Good day"), version="1.2")
    assert not shop.update().conflicts
    assert "Good day" in shop.read(OWN_PATH)


def test_one_that_is_nowhere_is_told_and_does_not_come_back(shop: Shop) -> None:
    split(shop, "def another() -> int:\n    return 1\n")
    words = shop.read(WORDS_PATH)
    newer(shop)
    update = shop.update()
    assert [conflict.key for change in update.conflicts for conflict in change.conflicts] == ["def greet"]
    assert shop.read(WORDS_PATH) == words


def test_what_both_changed_there_is_left_to_the_user(shop: Shop) -> None:
    split(shop, TIMES + GREET.replace("Hello", "Good day"))
    shop.put("src/churn/other.py", GREET.replace("Hello", "Good day"))
    own = shop.read(OWN_PATH)
    newer(shop)
    assert shop.update().conflicts
    assert shop.read(OWN_PATH) == own


def test_a_copy_in_two_files_is_left_to_the_user(shop: Shop) -> None:
    split(shop)
    shop.put("src/churn/copy.py", TIMES + GREET)
    own = shop.read(OWN_PATH)
    newer(shop)
    assert shop.update().conflicts
    assert shop.read(OWN_PATH) == shop.read("src/churn/copy.py") == own


def test_a_name_that_the_other_file_does_not_have_is_left_to_the_user(shop: Shop) -> None:
    split(shop)
    own = shop.read(OWN_PATH)
    newer(shop, LOUDER.replace(b"* TIMES", b"* TIMES + KEEP"))
    assert shop.update().conflicts
    assert shop.read(OWN_PATH) == own


def test_one_that_was_renamed_in_its_file_has_nothing_to_do_with_a_copy_elsewhere(shop: Shop) -> None:
    shop.add()
    shop.put(WORDS_PATH, WORDS.replace(b"def greet", b"def salute"))
    shop.put(OWN_PATH, TIMES + GREET)
    newer(shop)
    assert not shop.update().conflicts
    assert "Welcome" in shop.read(WORDS_PATH)
    assert shop.read(OWN_PATH) == TIMES + GREET
