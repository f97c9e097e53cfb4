"""Pages about services: current, whole, and without anything that is secret or somebody's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.catalog import Catalog
from mlox.catalog.pages import INDEX, page, pages, write
from mlox.catalog.skeleton import skeleton
from tests.shell_stage import Say

FOLDER = Path(__file__).parents[1] / "docs" / "services"
NAMES = Catalog().names()


def test_the_pages_are_those_that_make_docs_writes() -> None:
    there = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert there == pages(Catalog()), "run: make docs"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_names_all_that_a_user_can_see_or_set(name: str) -> None:
    service, text = Catalog().get(name).service, page(Catalog().get(name).service)
    told = [*service.ports, *service.options, *service.needs, *service.data, *service.client.environment]
    assert [key for key in told if f"`{key}`" not in text] == []
    assert [key for key in service.secrets if f"`{name}.{key}`" not in text] == []
    assert [key for key in service.provides if f"| {key} |" not in text] == []
    assert ("keeps no data" in text) == (not service.data and not any(u.stateful for u in service.units.values()))


def test_every_row_of_a_table_has_as_many_cells_as_its_heading() -> None:
    for name, text in pages(Catalog()).items():
        wide = 0
        for line in text.splitlines():
            cells = line.replace("\\|", "").count("|")
            wide = cells if cells and not wide else wide if cells else 0
            assert cells == wide, f"{name}: {line}"


def test_the_index_leads_to_every_service() -> None:
    text = pages(Catalog())[INDEX]
    assert [name for name in NAMES if f"[{name}]({name}.md)" not in text] == []


def test_old_pages_go(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("old")
    (tmp_path / "picture.png").write_bytes(b"")
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*pages(Catalog()), "picture.png"}


def test_info_writes_the_page_of_a_service_of_ones_own(say: Say, isolated: Path) -> None:
    (isolated / "services").mkdir()
    (isolated / "services" / "shelf.yaml").write_text(skeleton("shelf"))
    said = say("info", "shelf", "--markdown")
    assert said.code == 0
    assert said.out == page(Catalog([isolated / "services"]).get("shelf").service)
    assert "`greeting`" in said.out
    assert say("info", "feature-store", "--markdown").code == 2
