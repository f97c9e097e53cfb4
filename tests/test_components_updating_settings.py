"""What an update makes of settings that the user left alone, changed, moved or took out; and how he settles it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlox.errors import UsageError, WorkspaceError
from tests.component_stage import Shop
from tests.settings_components import offers, users
from tests.settings_stage import FORMS
from tests.shell_stage import Say
from tests.test_components_settings import fragments

ONE = "cache:\n  # how many\n  size: 10\n  ttl: 5\n  old: 1\n  kinds: [pages]\n"
TWO = "cache:\n  # how many at most\n  size: 20\n  ttl: 5\n  kinds: [pages, rows]\n  new: 2\n"
PATH = "config/app.yaml"
INCOMING = f".mlox/local/incoming/cache/{PATH}"


@pytest.fixture
def cached(shop: Shop) -> Shop:
    """A user's files with a component that has a newer version."""
    users(shop)
    offers(shop, "cache", yaml=ONE)
    shop.add("cache")
    offers(shop, "cache", version="2.0", yaml=TWO)
    return shop


def edit(shop: Shop, old: str, new: str, path: str = PATH) -> None:
    text = shop.read(path)
    assert text.count(old) == 1
    shop.put(path, text.replace(old, new))


def words(shop: Shop) -> dict[str, tuple[str, list[str]]]:
    changes = shop.update("cache").changes
    return {change.path: (change.word, [one.key for one in change.conflicts]) for change in changes}


def test_what_nobody_touched_becomes_the_new_one(cached: Shop) -> None:
    assert words(cached) == {PATH: ("merged", [])}
    after = cached.tree()
    assert cached.state("cache") == "clean"
    cached.changes.undo()
    assert "size: 10" in cached.read(PATH)
    cached.remove("cache")
    cached.add("cache")
    assert cached.tree() == after
    cached.remove("cache")
    assert cached.tree() == users(cached)


def test_what_the_user_changed_stays_and_its_place_and_comments(cached: Shop) -> None:
    edit(cached, "  ttl: 5\n", "")
    edit(cached, "# ours\n", "# ours\nmine: 1\n")
    edit(cached, "  size: 10\n", "  size: 10  # is enough\n  ttl: 7\n")
    assert words(cached) == {PATH: ("merged", [])}
    assert cached.read(PATH) == (
        "# ours\nmine: 1\nserver:\n  port: 80  # do not change\ncache:\n  kinds:\n    - pages\n    - rows\n  new: 2\n"
        "  # how many at most\n  size: 20  # is enough\n  ttl: 7\n\n# the end\n"
    )
    assert cached.state("cache") == "edited"


def test_what_the_user_took_out_stays_out(cached: Shop) -> None:
    edit(cached, "  ttl: 5\n", "")
    assert words(cached) == {PATH: ("merged", [])}
    assert "ttl" not in cached.read(PATH)
    assert cached.state("cache") == "edited"


def test_the_same_change_on_both_sides_is_none(cached: Shop) -> None:
    edit(cached, "size: 10", "size: 20")
    assert words(cached) == {PATH: ("merged", [])}
    assert cached.state("cache") == "clean"


def test_what_both_changed_is_the_users_and_waits_for_him(cached: Shop, say: Say) -> None:
    edit(cached, "size: 10", "size: 99")
    told = say("-C", str(cached.root), "-y", "update", "cache")
    assert told.code == 3
    assert f"  {PATH}: CONFLICT, yours is kept (cache.size)" in told.out.splitlines()
    assert "size: 99" in cached.read(PATH)
    assert "new: 2" in cached.read(PATH)
    assert cached.read(INCOMING) == cached.read(PATH).replace(
        "  # how many\n  size: 99", "  # how many at most\n  size: 20"
    )
    assert cached.state("cache") == "conflict"
    assert say("-C", str(cached.root), "check", "--exit-code").code == 4
    with pytest.raises(UsageError, match="waits for you"):
        cached.update("cache")


@pytest.mark.parametrize(("side", "size", "state"), [("mine", 99, "edited"), ("theirs", 20, "clean")])
def test_a_conflict_is_settled(cached: Shop, say: Say, side: str, size: int, state: str) -> None:
    edit(cached, "size: 10", "size: 99  # ours")
    cached.update("cache")
    assert say("-C", str(cached.root), "resolve", "cache", f"--{side}").code == 0
    assert f"size: {size}  # ours" in cached.read(PATH)
    assert cached.state("cache") == state
    assert not (cached.root / INCOMING).exists()
    assert say("-C", str(cached.root), "check", "--exit-code").code == 0
    diff = say("-C", str(cached.root), "diff", "cache").out
    assert ("-  size: 20  # ours\n+  size: 99  # ours" in diff) == (side == "mine")


def test_a_conflict_is_settled_in_an_editor(cached: Shop) -> None:
    from mlox.components.resolving import with_markers

    edit(cached, "size: 10", "size: 99")
    cached.update("cache")
    marked = with_markers(cached.components.tree, cached.components.added()["cache"], PATH).decode()
    assert "<<<<<<< " in marked
    assert "  size: 99\n||||||| " in marked
    assert "  size: 10\n=======\n  # how many at most\n  size: 20\n>>>>>>> " in marked
    with pytest.raises(WorkspaceError, match="markers"):
        cached.changes.resolve("cache", "mine", {PATH: marked.encode()})
    cached.changes.resolve("cache", "mine", {PATH: cached.read(PATH).replace("99", "50").encode()})
    assert "size: 50" in cached.read(PATH)
    assert cached.state("cache") == "edited"


@pytest.mark.parametrize(("side", "there"), [("mine", False), ("theirs", True)])
def test_what_was_taken_out_and_changed_upstream_waits(cached: Shop, side: Any, there: bool) -> None:
    edit(cached, "  # how many\n  size: 10\n", "")
    assert words(cached) == {PATH: ("conflict", ["cache.size"])}
    assert "size: 20" in cached.read(INCOMING)
    cached.changes.resolve("cache", side)
    assert ("size: 20" in cached.read(PATH)) == there
    assert cached.state("cache") == ("clean" if there else "edited")


def test_what_upstream_dropped_goes_unless_the_user_changed_it(cached: Shop, say: Say) -> None:
    edit(cached, "old: 1", "old: 2")
    told = say("-C", str(cached.root), "-y", "update", "cache")
    assert told.code == 3
    assert "(cache.old: you changed it, and upstream has it no more)" in told.out
    assert "old: 2" in cached.read(PATH)
    assert cached.state("cache") == "clean"


def test_a_file_that_the_user_deleted_is_not_made_again(cached: Shop) -> None:
    (cached.root / PATH).unlink()
    assert words(cached) == {PATH: ("gone", [])}
    assert not (cached.root / PATH).exists()
    assert cached.state("cache") == "missing"
    before = cached.tree()
    cached.changes.resolve("cache", "theirs")
    assert cached.read(PATH).startswith("cache:\n  kinds:\n    - pages\n    - rows\n  new: 2\n")
    cached.changes.undo()
    assert cached.tree() == before
    cached.changes.resolve("cache", "mine")
    assert cached.state("cache") == "clean"


def test_files_come_and_go_with_versions(cached: Shop) -> None:
    offers(cached, "cache", version="2.0", toml="[tool.cache]\nsize = 1\n", json='{"cache": 1}', env="A=\n")
    changes = words(cached)
    assert changes == {name: ("merged", []) for name in (PATH, ".env.example", "pyproject.toml", "settings.json")}
    after = cached.tree()
    cached.remove("cache")
    cached.add("cache")
    assert cached.tree() == after


def test_a_value_that_becomes_a_table(cached: Shop) -> None:
    offers(cached, "cache", version="2.0", yaml=ONE.replace("ttl: 5", "ttl: {rows: 5}"))
    assert words(cached) == {PATH: ("merged", [])}
    assert "  ttl:\n    rows: 5\n" in cached.read(PATH)
    offers(cached, "cache", version="3.0", yaml=ONE)
    cached.update("cache")
    assert "  ttl: 5\n" in cached.read(PATH)
    cached.remove("cache")
    assert cached.tree() == users(cached)


def test_a_value_that_another_component_shares_is_not_changed_for_one(cached: Shop) -> None:
    offers(cached, "limits", yaml="cache: {size: 10}\n")
    cached.add("limits")
    before = cached.tree()
    with pytest.raises(WorkspaceError, match="limits has set cache.size to another value than cache asks for"):
        cached.update("cache")
    assert cached.tree() == before


def test_diffs_show_settings_alone(cached: Shop, say: Say) -> None:
    edit(cached, "# ours", "# mine")
    where = ("-C", str(cached.root), "diff", "cache")
    assert say(*where).out.startswith("you changed nothing")
    edit(cached, "size: 10", "size: 99")
    edit(cached, "  ttl: 5\n", "")
    mine = say(*where).out
    assert "-  size: 10\n-  ttl: 5\n+  size: 99\n" in mine
    assert "+# mine" not in mine
    incoming = say(*where, "--incoming").out
    assert "-  size: 10" in incoming
    assert "+  size: 20" in incoming
    assert "+  new: 2" in say(*where, "--result").out


@st.composite
def versions(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two versions of a fragment: settings changed, gone, and new."""
    one = draw(fragments())
    two = copy.deepcopy(one)
    for key in list(two):
        fate = draw(st.sampled_from(["same", "same", "gone", "other"]))
        if fate == "gone" and len(two) > 1:
            del two[key]
        elif fate == "other" and isinstance(two[key], str):
            two[key] = f"{two[key]}-new"
    return one, two | draw(fragments())


@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
@given(texts=versions(), other=fragments(), form=st.sampled_from(["yaml", "toml", "json"]), own=st.booleans())
def test_an_update_is_the_same_as_adding_the_new_one(
    tmp_path_factory: pytest.TempPathFactory,
    texts: tuple[dict[str, Any], dict[str, Any]],
    other: dict[str, Any],
    form: str,
    own: bool,
) -> None:
    shop = Shop(tmp_path_factory.mktemp("churn"))
    before = users(shop) if own else shop.tree()

    def written(data: dict[str, Any]) -> dict[str, str]:
        return {form: FORMS[form][0]({"tool": data} if form == "toml" else data)}

    offers(shop, "alpha", **written(other))
    offers(shop, "cache", **written(texts[0]))
    shop.add("alpha")
    try:
        shop.add("cache")
        offers(shop, "cache", version="2.0", **written(texts[1]))
        assert not shop.update("cache").conflicts
    except WorkspaceError as error:
        assert "alpha has set" in error.problem
        return
    after = shop.tree()
    assert shop.remove("cache") == ()
    shop.add("cache")
    assert shop.tree() == after
    shop.remove("alpha")
    shop.remove("cache")
    assert shop.tree() == before
