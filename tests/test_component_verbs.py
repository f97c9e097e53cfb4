"""What the verbs say about components, in the shell and as JSON, and what ``mlox.Component`` gives a script."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import mlox
from mlox.errors import UnknownNameError
from tests.component_stage import Shop, offer, template_files
from tests.shell_stage import Say, files

ADDED = """\
feature-store 1.0 added to src/demo/feature_store (6 files, yours to edit)
made: src/demo/__init__.py, pyproject.toml
wrote: pyproject.toml (feast[redis]>=0.67, pandas>=2.2.3)
online_store = redis
install what it needs: mlox add feature-store --install
import it: from demo.feature_store import FeatureStore    (with src on the path: import sys; sys.path.insert(0, 'src'))
take it out: mlox remove feature-store
"""


def test_a_dry_run_tells_and_writes_nothing(demo: Say, isolated: Path, data_home: Path) -> None:
    before = files(isolated, data_home)
    said = demo("add", "feature-store", "--dry-run")
    first, *rest = said.out.splitlines()
    assert first == (
        "feature-store 1.0 would add 6 files to src/demo/feature_store and 2 dependencies to pyproject.toml; "
        "nothing was written"
    )
    assert "create  pyproject.toml" in rest
    assert not [line for line in rest if ".mlox/" in line]
    assert demo("--json", "add", "feature-store", "--dry-run").json["added"] is False
    assert files(isolated, data_home) == before


def test_it_is_added_shown_and_removed(demo: Say, isolated: Path) -> None:
    before = {path: content for path, content in files(isolated).items() if "/local/" not in path}
    added = demo("add", "feature-store")  # what uv says without an index depends on what it has seen before
    assert (added.code, added.out) == (0, ADDED)
    status = demo("status").out.splitlines()
    assert status[2].split() == ["feature-store", "component", "clean", "6", "files", "1.0"]
    assert status[0].split()[:3] == ["mlflow", "service", "absent"]
    (row,) = demo("--json", "status").json["components"]
    assert (row["name"], row["version"], row["state"], row["files"]) == ("feature-store", "1.0", "clean", 6)
    again = demo("add", "feature-store").out.splitlines()
    assert again[0] == "feature-store 1.0 is in src/demo/feature_store already (6 files, clean)"
    removed = demo("remove", "feature-store")
    assert removed.out.splitlines() == [
        "feature-store 1.0 taken out of src/demo/feature_store (6 files)",
        "out of pyproject.toml: feast[redis]>=0.67, pandas>=2.2.3",
    ]
    assert {path: content for path, content in files(isolated).items() if "/local/" not in path} == before
    assert demo("--json", "status").json["components"] == []


def test_status_can_be_asked_of_one(demo: Say) -> None:
    demo("add", "feature-store")
    assert [line.split()[0] for line in demo("status", "feature-store").out.splitlines()[:1]] == ["feature-store"]
    assert demo("--json", "status", "feature-store").json["services"] == []
    assert demo("--json", "status", "redis").json["components"] == []
    assert demo("status", "nope").code == 2


def test_an_edited_file_stays_and_the_exit_code_says_that_something_is_left(demo: Say, isolated: Path) -> None:
    demo("add", "feature-store", "--set", "online_store=sqlite")
    edited = isolated / "src/demo/feature_store/store.py"
    edited.write_text("mine = 1\n")
    assert demo("status").out.splitlines()[2].split()[2] == "edited"
    assert demo("remove", "feature-store", "--dry-run").code == 3
    said = demo("remove", "feature-store")
    assert said.code == 3
    assert "kept, since you edited it: src/demo/feature_store/store.py" in said.out
    assert edited.read_text() == "mine = 1\n"


def test_kept_it_is_not_tracked(demo: Say, isolated: Path) -> None:
    demo("add", "feature-store")
    said = demo("remove", "feature-store", "--keep")
    assert said.out == "feature-store 1.0 is not tracked any more; left in src/demo/feature_store: 6 files\n"
    assert (isolated / "src/demo/feature_store/store.py").exists()


def test_the_catalog_lists_both_kinds_or_one(say: Say) -> None:
    both = say("--json", "catalog").json
    (row,) = (row for row in both["components"] if row["name"] == "feature-store")
    assert (row["version"], row["services"]) == ("1.0", ["redis"])
    assert {row["name"] for row in both["services"]} >= {"mlflow", "redis"}
    assert say("--json", "catalog", "--components").json == {
        "services": [],
        "components": both["components"],
        "broken": [],
    }
    assert say("--json", "catalog", "--services").json == {"services": both["services"], "components": [], "broken": []}
    assert say("--json", "catalog", "feast features").json["components"] == [row]
    assert say("catalog", "nosuchthing").out == "nothing in the catalog fits 'nosuchthing'\n"


def test_info_tells_what_it_brings(demo: Say) -> None:
    text = demo("info", "feature-store").out
    assert "dependency feast[redis]>=0.67\ndependency pandas>=2.2.3\n" in text
    assert "option online_store (string, default sqlite, one of sqlite, redis)" in text
    assert "environment REDIS_URL" in text
    assert "its tests need httpx2" in demo("info", "api-serving").out
    demo("add", "feature-store")
    assert "in this repository: src/demo/feature_store, version 1.0, clean" in demo("info", "feature-store").out


def test_install_takes_what_is_there_and_fails_before_anything_is_written(
    shop: Shop, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    offer(shop.root, template_files(dependencies='["packaging>=9999"]'))
    before = shop.tree()
    said = say("-C", str(shop.root), "add", "greeting", "--install")
    assert said.code == 1
    assert "packaging>=9999 cannot be installed; nothing was written" in said.err
    assert "hint: " in said.err
    assert shop.tree() == before
    offer(shop.root, template_files(dependencies='["packaging>=20"]'))
    said = say("-C", str(shop.root), "add", "greeting", "--install")
    assert "installed: packaging>=20" in said.out.splitlines()
    assert "greeting: installing packaging>=20" in said.err
    assert shop.state() == "clean"


def test_a_script_adds_looks_and_removes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.root)
    component = mlox.Component("greeting")

    def state() -> str:
        return component.state

    assert repr(component) == "Component('greeting')"
    assert state() == "missing"
    paths = component.add(options={"times": 3})
    assert [path.name for path in paths] == ["__init__.py", "words.py", "test_greeting.py"]
    assert all(path.exists() for path in paths)
    assert state() == "clean"
    paths[1].write_text("mine = 1\n")
    assert state() == "edited"
    assert component.remove() == (paths[1],)
    assert state() == "missing"


def test_a_script_may_not_misspell(shop: Shop) -> None:
    with pytest.raises(UnknownNameError) as caught:
        mlox.Component("greetin", path=shop.root)
    assert caught.value.hint == "Did you mean 'greeting'?"


def test_a_component_whose_registry_is_gone_is_still_there_and_can_be_removed(shop: Shop) -> None:
    before = shop.tree()
    shop.add()
    for path in (shop.root / "mlx-components/greeting").rglob("component.yaml"):
        path.unlink()
    component = mlox.Component("greeting", path=shop.root)
    assert component.state == "clean"
    assert component.remove() == ()
    assert shop.tree() == before


def test_what_is_told_to_be_written_is_what_nobody_has_brought(demo: Say, isolated: Path) -> None:
    first = demo("add", "rate-limiting")
    line = next(line for line in first.out.splitlines() if line.startswith("wrote: "))
    named = line.partition("(")[2].rstrip(")").split(", ")
    written = tomllib.loads((isolated / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert sorted(named) == sorted(written)
    assert "1 dependency" not in demo("add", "caching", "--dry-run").out
    assert "wrote: " not in demo("add", "caching").out
