"""Two branches that change the same vault, merged by git itself: nothing is lost, and what differs is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlox.errors import SecretConflictError
from mlox.secret_stores.versions import MAX_FOLLOWED
from tests.vault_stage import Person, Team, git


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def branches(person: Person) -> None:
    """A branch ``other`` from here; the current one stays ``main``."""
    person.commit()
    git(person.clone, "branch", "-f", "other")


def on_other(person: Person) -> None:
    person.commit()
    git(person.clone, "checkout", "-q", "other")


def merged(person: Person) -> None:
    """Merge ``other`` into ``main``, without a conflict."""
    person.commit()
    git(person.clone, "checkout", "-q", "main")
    git(person.clone, "merge", "-q", "--no-edit", "other")
    assert git(person.clone, "status", "--porcelain") == ""


def test_two_branches_that_set_a_secret_are_two_heads_and_the_next_set_follows_both(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    branches(anna)
    here = anna.set("TOKEN", "of main")
    on_other(anna)
    there = anna.set("TOKEN", "of other")
    merged(anna)
    with pytest.raises(
        SecretConflictError, match="'TOKEN' was set on two branches, and both values were kept"
    ) as error:
        anna.get("TOKEN")
    assert set(error.value.versions) == {here, there}
    assert time.strftime("(%Y-", time.gmtime()) in error.value.problem
    assert "mlox secrets get TOKEN --version" in str(error.value.hint)
    assert (anna.get("TOKEN", here), anna.get("TOKEN", there)) == ("of main", "of other")
    (row,) = anna.vault.describe()
    assert set(row.heads) == {here, there}
    last = anna.set("TOKEN", "chosen")
    assert anna.get("TOKEN") == "chosen"
    assert anna.vault.describe()[0].heads == ()
    assert (anna.get("TOKEN", here), anna.get("TOKEN", there), anna.get("TOKEN", last)) == (
        "of main",
        "of other",
        "chosen",
    )


def test_a_branch_with_more_versions_does_not_win_over_one_with_fewer(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    branches(anna)
    for number in range(3):
        here = anna.set("TOKEN", f"main {number}")
    on_other(anna)
    there = anna.set("TOKEN", "of other")
    merged(anna)
    with pytest.raises(SecretConflictError) as error:
        anna.get("TOKEN")
    assert set(error.value.versions) == {here, there}


def test_a_branch_that_did_not_touch_a_secret_takes_the_other_ones_value(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    branches(anna)
    anna.set("OTHER", "of main")
    on_other(anna)
    anna.set("TOKEN", "second")
    merged(anna)
    assert (anna.get("TOKEN"), anna.get("OTHER")) == ("second", "of main")


def test_removed_on_one_branch_and_set_on_another_is_kept(team: Team) -> None:
    anna = team.founder(TOKEN="first", GONE="gone")
    branches(anna)
    anna.vault.delete("TOKEN")
    anna.vault.delete("GONE")
    on_other(anna)
    anna.set("TOKEN", "second")
    merged(anna)
    assert anna.get("TOKEN") == "second"
    assert anna.vault.names() == ("TOKEN",)


def test_removed_and_set_anew_on_one_branch_and_set_on_another_are_two_heads(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    branches(anna)
    anna.vault.delete("TOKEN")
    here = anna.set("TOKEN", "anew")
    on_other(anna)
    there = anna.set("TOKEN", "second")
    merged(anna)
    with pytest.raises(SecretConflictError) as error:
        anna.get("TOKEN")
    assert set(error.value.versions) == {here, there}


def test_many_branches_are_all_kept_and_resolved_by_as_few_writes_as_a_name_can_hold(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    for number in range(MAX_FOLLOWED + 2):
        git(anna.clone, "checkout", "-q", "-b", f"branch-{number}", "main")
        anna.set("TOKEN", f"value {number}")
    git(anna.clone, "checkout", "-q", "main")
    for number in range(MAX_FOLLOWED + 2):
        git(anna.clone, "merge", "-q", "--no-edit", f"branch-{number}")
    heads = anna.vault.describe()[0].heads
    assert {anna.get("TOKEN", head) for head in heads} == {f"value {number}" for number in range(MAX_FOLLOWED + 2)}
    anna.set("TOKEN", "chosen")
    assert len(anna.vault.describe()[0].heads) == 3
    anna.set("TOKEN", "chosen")
    assert anna.get("TOKEN") == "chosen"


def test_two_branches_that_let_in_somebody_each_merge_and_both_read(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    people = []
    for name in ("bob", "carl"):
        person = team.person(name)
        person.pull()
        person.vault.sharing.join(name)
        person.push()
        people.append(person)
        anna.pull()
    branches(anna)
    anna.vault.sharing.share(anna.vault.sharing.find("bob"))
    on_other(anna)
    sharing = anna.vault.sharing
    sharing.agree(sharing.recipients())
    sharing.share(sharing.find("carl"))
    merged(anna)
    assert [each.name for each in sharing.recipients()][1:] == ["bob", "carl"]
    sharing.agree(sharing.recipients())
    anna.set("LATER", "for all")
    anna.push()
    for person in people:
        person.pull()
        assert (person.get("TOKEN"), person.get("LATER")) == ("first", "for all")


def test_both_branches_that_let_in_the_same_person_merge(team: Team) -> None:
    anna = team.founder(TOKEN="first")
    bob = team.person("bob")
    bob.pull()
    bob.vault.sharing.join("bob")
    bob.push()
    anna.pull()
    branches(anna)
    found = anna.vault.sharing.find("bob")
    anna.vault.sharing.share(found)
    agreed = anna.vault.sharing.recipients()
    on_other(anna)
    anna.vault.sharing.agree(anna.vault.sharing.recipients())
    anna.vault.sharing.share(found)
    merged(anna)
    assert anna.vault.sharing.recipients() == agreed
    anna.push()
    bob.pull()
    assert bob.get("TOKEN") == "first"
