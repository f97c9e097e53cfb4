"""Services that installed packages bring by an entry point, and what is told of those that are broken."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlox.catalog import Catalog
from mlox.catalog.skeleton import skeleton
from mlox.plugins import installed_services
from mlox.workspace import Workspace
from tests.shell_stage import Say

Installing = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installing:
    """Put a package beside the others, as an installer does: its files, and what it declares."""

    def put(distribution: str, module: str, files: dict[str, str], *, entry: str = "services") -> Path:
        site = tmp_path / "site"
        folder = site / module.replace(".", "/")
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        info = site / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mlox.services]\n{entry} = {module}\n")
        monkeypatch.syspath_prepend(site)
        return folder

    return put


def test_a_package_brings_a_service_without_being_imported(install: Installing, say: Say, isolated: Path) -> None:
    folder = install("acme", "acme_services", {"__init__.py": "raise SystemExit", "shelf.yaml": skeleton("shelf")})
    assert dict(installed_services().folders) == {"the package acme": folder}
    listed = say("catalog", "shelf", "--json").json
    assert [row["name"] for row in listed["services"]] == ["shelf"]
    assert listed["broken"] == []
    assert say("info", "shelf").out.startswith("shelf 3.12: a page that says hello")
    assert say("add", "shelf").code == 0
    assert "service: shelf" in (isolated / "mlox.yaml").read_text()
    assert "acme_services" not in sys.modules


def test_a_folder_of_a_package_will_do(install: Installing) -> None:
    folder = install("acme", "acme.deep.services", {"shelf.yaml": skeleton("shelf")})
    assert Catalog((), installed_services).path("shelf") == folder / "shelf.yaml"


def test_a_broken_one_is_reported_and_the_others_load(install: Installing, say: Say) -> None:
    files = {"shelf.yaml": skeleton("shelf"), "torn.yaml": skeleton("torn").replace("summary:", "sumary:")}
    folder = install("acme", "acme_services", files)
    said = say("catalog")
    assert said.code == 0
    assert "\nshelf " in said.out
    assert "\nredis " in said.out
    assert f"not in the list: {folder / 'torn.yaml'}" in said.out
    (broken,) = say("catalog", "--json").json["broken"]
    assert "unknown key 'sumary'" in broken["problem"]
    assert "unknown key 'sumary'" in say("add", "torn").err
    say("init", "demo")
    (found,) = [each for each in say("check", "--json").json["findings"] if each["kind"] == "catalog"]
    assert "unknown key 'sumary'" in found["problem"]


def test_a_broken_file_of_the_workspace_does_not_hide_the_others(say: Say, isolated: Path) -> None:
    (isolated / "services").mkdir()
    (isolated / "services" / "torn.yaml").write_text("name: [")
    said = say("catalog")
    assert said.code == 0
    assert "\nredis " in said.out
    assert "not in the list: " in said.out
    assert "torn.yaml" in said.out


def test_a_package_without_its_files_is_reported(install: Installing, say: Say) -> None:
    install("acme", "acme_services", {})
    said = say("catalog")
    assert said.code == 0
    assert "not in the list: the package acme declares services in acme_services, where there are none" in said.out


def test_names_that_are_taken_are_reported(install: Installing, say: Say, isolated: Path) -> None:
    install("acme", "acme_services", {"redis.yaml": skeleton("redis"), "shelf.yaml": skeleton("shelf")})
    install("best", "best_services", {"shelf.yaml": skeleton("shelf").replace("says hello", "says more")})
    catalog = Catalog([Workspace(isolated).root / "services"], installed_services)
    assert "in-memory" in catalog.get("redis").service.summary
    assert "says hello" in catalog.get("shelf").service.summary
    told = [error.problem.partition(", and so does ")[0] for error in catalog.faults()]
    assert told == ["the package acme brings a service 'redis'", "the package best brings a service 'shelf'"]
    (isolated / "services").mkdir()
    (isolated / "services" / "shelf.yaml").write_text(skeleton("shelf").replace("says hello", "is mine"))
    assert "is mine" in say("info", "shelf").out
