"""The verb catalog new: a file that is valid, that runs as it is, and never one that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.catalog import Catalog
from mlox.catalog.skeleton import copied, skeleton
from mlox.errors import SpecError, UnknownNameError
from tests.shell_stage import Say, files


def test_a_new_file_is_valid_has_comments_and_is_in_the_catalog(say: Say, isolated: Path) -> None:
    said = say("catalog", "new", "guest-book")
    assert said.code == 0
    assert said.out.splitlines()[0] == "wrote: services/guest-book.yaml"
    service = Catalog([isolated / "services"]).get("guest-book").service
    assert (service.backends, list(service.client.environment)) == (
        ("native", "docker"),
        ["GUEST_BOOK_URL", "GUEST_BOOK_TOKEN"],
    )
    text = (isolated / "services" / "guest-book.yaml").read_text()
    assert sum(line.lstrip().startswith("#") for line in text.splitlines()) > 10
    assert say("catalog", "guest").out.startswith("guest-book  3.12  native, docker")


@pytest.mark.parametrize("source", Catalog().names())
def test_a_copy_of_each_service_is_valid(source: str, isolated: Path) -> None:
    (isolated / "services").mkdir()
    (isolated / "services" / "mine.yaml").write_text(copied(Catalog(), source, "mine"))
    mine = Catalog([isolated / "services"]).get("mine").service
    assert mine.model_copy(update={"name": source}) == Catalog().get(source).service


def test_what_is_there_is_left_as_it_is(say: Say, isolated: Path) -> None:
    say("catalog", "new", "mine")
    before = files(isolated)
    said = say("catalog", "new", "mine", "--from", "redis")
    assert (said.code, said.err.splitlines()[0]) == (
        2,
        "error: services/mine.yaml is there already; it was left as it is",
    )
    assert say("catalog", "new", "redis").err.splitlines() == [
        "error: mlox has a 'redis' of its own",
        "hint: Choose another name, for example: my-redis.",
    ]
    assert say("catalog", "new", "feature-store").code == 2
    assert files(isolated) == before


def test_a_dry_run_writes_nothing(say: Say, isolated: Path) -> None:
    said = say("catalog", "new", "mine", "--dry-run", "--json")
    assert said.json["text"] == skeleton("mine")
    assert files(isolated) == {}


@pytest.mark.parametrize("name", ["Mine", "my_service", "9lives", "../mine", "a" * 41])
def test_a_name_that_cannot_be_is_refused(name: str, say: Say, isolated: Path) -> None:
    assert say("catalog", "new", name).code == 2
    assert files(isolated) == {}
    with pytest.raises(SpecError):
        skeleton(name)


def test_an_unknown_begin_is_told_the_nearest(say: Say) -> None:
    assert say("catalog", "new", "mine", "--from", "reddis").err.splitlines()[1] == "hint: Did you mean 'redis'?"
    with pytest.raises(UnknownNameError):
        copied(Catalog(), "nothing", "mine")


def test_the_catalog_is_still_searched(say: Say) -> None:
    assert say("catalog", "postgres").out.startswith("postgres")
    assert [one["text"] for one in say("help", "--json", "--", "catalog", "ne").json["candidates"]] == ["new"]
