"""Several projects in one repository: each has its own code, tests and requirements, and none touches another's."""

from __future__ import annotations

import pytest

from mlox.components.dependencies import project_of, projects
from mlox.components.records import Record
from mlox.components.tree import Tree
from mlox.errors import DependencyError, UsageError, WorkspaceError
from mlox.protocols import silent
from mlox.stack.proving import prove
from tests.component_stage import Shop, newer, offer, template_files
from tests.projects_stage import API, OTHER, WEB


def needing(shop: Shop, name: str, *needed: str) -> None:
    """The registry has a component that needs others."""
    files = template_files(name)
    needs = ", ".join(f'{one}: ""' for one in needed)
    offer(shop.root, files | {"component.yaml": files["component.yaml"] + f"components: {{{needs}}}\n".encode()}, name)


def where(record: Record) -> list[str]:
    return [written.path for written in record.dependencies]


def test_code_tests_and_requirements_go_into_the_project_in_whose_folder_it_is_wished(monorepo: Shop) -> None:
    record = monorepo.add(to="services/api/src/api")
    assert (record.project, record.into, record.package) == ("services/api", "services/api/src/api", "api.greeting")
    assert set(record.files) == {
        "services/api/src/api/greeting/__init__.py",
        "services/api/src/api/greeting/words.py",
        "services/api/tests/test_greeting.py",
    }
    assert "from api.greeting import greet" in monorepo.read("services/api/tests/test_greeting.py")
    assert where(record) == ["services/api/pyproject.toml"]
    assert monorepo.read("services/api/pyproject.toml") == API.replace('["rich"]', '["tabulate>=0.9", "rich"]')
    assert monorepo.read("services/web/pyproject.toml") == WEB
    assert not (monorepo.root / "pyproject.toml").exists()
    assert monorepo.resolved == ["rich", "tabulate>=0.9"]


@pytest.mark.parametrize(
    "to", ["services/api/src/api", "services/api/src/api/", "services/api", "/services/api/src/api"]
)
def test_added_again_it_changes_no_byte(monorepo: Shop, to: str) -> None:
    wished = f"{monorepo.root}{to}" if to.startswith("/") else to
    monorepo.add(to=wished)
    before = monorepo.tree()
    assert monorepo.components.add(monorepo.template(), to=wished) is None
    assert monorepo.components.add(monorepo.template()) is None
    assert monorepo.tree() == before
    with pytest.raises(UsageError, match="it is in services/api/src/api/greeting"):
        monorepo.add(to="services/web")
    assert monorepo.tree() == before


def test_added_and_removed_there_is_no_trace(monorepo: Shop) -> None:
    before = monorepo.tree()
    monorepo.add(to="services/api/src/api")
    assert monorepo.remove() == ()
    assert monorepo.tree() == before


def test_two_projects_each_have_a_component_and_neither_touches_the_others_file(monorepo: Shop) -> None:
    monorepo.add(to="services/api")
    api = monorepo.tree()
    monorepo.add(OTHER, to="services/web")
    assert monorepo.read("services/api/pyproject.toml") == api["services/api/pyproject.toml"].decode()  # type: ignore[union-attr]
    web = monorepo.read("services/web/pyproject.toml")
    assert web == WEB.replace('  "flask"', '  "tabulate>=0.9",\n  "flask"')
    assert where(monorepo.components.added()[OTHER]) == ["services/web/pyproject.toml"]
    monorepo.remove()
    assert monorepo.read("services/web/pyproject.toml") == web
    assert monorepo.read("services/api/pyproject.toml") == API
    monorepo.remove(OTHER)
    assert monorepo.read("services/web/pyproject.toml") == WEB


def test_what_goes_from_one_project_is_told_though_another_has_it_too(monorepo: Shop) -> None:
    monorepo.add(to="services/api")
    monorepo.add(OTHER, to="services/web")
    assert monorepo.components.plan_removal("greeting").dependencies == ("tabulate>=0.9",)


def test_a_requirement_stays_where_code_of_its_own_project_imports_it(monorepo: Shop) -> None:
    monorepo.add(to="services/api")
    monorepo.put("services/web/src/web/table.py", "import tabulate\n")
    assert monorepo.components.plan_removal("greeting").needed == {}
    monorepo.put("services/api/src/api/table.py", "import tabulate\n")
    assert monorepo.components.plan_removal("greeting").needed == {"tabulate>=0.9": "services/api/src/api/table.py"}


def test_a_notebook_at_a_top_that_is_no_project_counts_for_all(monorepo: Shop) -> None:
    monorepo.add(to="services/api")
    monorepo.put("notebooks/try.py", "import tabulate\n")
    assert set(monorepo.components.plan_removal("greeting").needed) == {"tabulate>=0.9"}
    monorepo.put("pyproject.toml", '[project]\nname = "all"\nversion = "1"\n')
    assert monorepo.components.plan_removal("greeting").needed == {}


def test_an_update_stays_in_the_project(monorepo: Shop) -> None:
    monorepo.add(to="services/api")
    monorepo.put(
        "services/api/src/api/greeting/__init__.py",
        monorepo.read("services/api/src/api/greeting/__init__.py") + "A = 1\n",
    )
    before = monorepo.tree()
    newer(monorepo)
    offer(
        monorepo.root,
        {"component.yaml": template_files(version="1.1", dependencies='["tabulate>=0.9", "attrs"]')["component.yaml"]},
    )
    changed = monorepo.update()
    assert {change.path: change.word for change in changed.changes} == {
        "services/api/src/api/greeting/words.py": "updated"
    }
    assert "Welcome" in monorepo.read("services/api/src/api/greeting/words.py")
    assert monorepo.read("services/api/src/api/greeting/__init__.py").endswith("A = 1\n")
    assert '["attrs", "tabulate>=0.9", "rich"]' in monorepo.read("services/api/pyproject.toml")
    record = monorepo.components.added()["greeting"]
    assert (record.project, where(record)) == ("services/api", ["services/api/pyproject.toml"] * 2)
    assert not (monorepo.root / "tests").exists()
    monorepo.changes.undo()
    assert monorepo.tree() == before


def test_a_test_that_upstream_renames_stays_in_the_project(monorepo: Shop) -> None:
    monorepo.add(to="services/api")
    files = template_files(version="1.1")
    test = files.pop("tests/test_greeting.py")
    manifest = files["component.yaml"].replace(b"test_greeting.py", b"test_words.py")
    offer(monorepo.root, files | {"component.yaml": manifest, "tests/test_words.py": test})
    monorepo.update()
    assert sorted(path.name for path in (monorepo.root / "services/api/tests").iterdir()) == ["test_words.py"]


def test_what_a_new_version_needs_comes_into_the_same_project(monorepo: Shop) -> None:
    monorepo.add(to="services/web")
    files = template_files(version="1.1")
    offer(monorepo.root, files | {"component.yaml": files["component.yaml"] + b'components: {other: ""}\n'})
    monorepo.update()
    assert monorepo.components.added()[OTHER].into == "services/web/src/web"


def test_one_that_needs_another_brings_it_along_or_goes_where_it_is(monorepo: Shop) -> None:
    needing(monorepo, "third", OTHER)
    needing(monorepo, "fourth", "third")
    monorepo.add("third", to="services/api")
    monorepo.add("fourth")
    records = monorepo.components.added()
    assert {record.into for record in records.values()} == {"services/api/src/api"}
    assert {record.project for record in records.values()} == {"services/api"}
    assert monorepo.read("services/web/pyproject.toml") == WEB


def test_one_cannot_be_in_another_project_than_what_it_needs(monorepo: Shop) -> None:
    needing(monorepo, "third", OTHER, "greeting")
    monorepo.add(OTHER, to="services/api")
    before = monorepo.tree()
    with pytest.raises(UsageError, match="third needs other, which is in services/api/src/api/other") as caught:
        monorepo.add("third", to="services/web/src/web")
    assert caught.value.hint == "Put it there: --to services/api/src/api."
    assert monorepo.tree() == before
    monorepo.add(to="services/web")
    with pytest.raises(UsageError, match="third needs components of several projects: greeting is in services/web"):
        monorepo.add("third")


def test_without_a_wish_the_projects_are_named(monorepo: Shop) -> None:
    before = monorepo.tree()
    with pytest.raises(UsageError, match="projects below it: services/api, services/web") as caught:
        monorepo.add()
    hint = caught.value.hint or ""
    assert "--to services/api/src/api or --to services/web/src/web." in hint
    assert "--to src/churn" in hint
    assert monorepo.tree() == before
    assert monorepo.add(to="src/churn").project == ""
    assert where(monorepo.components.added()["greeting"]) == ["pyproject.toml"]


def test_without_a_wish_the_package_at_the_top_is_taken(monorepo: Shop) -> None:
    monorepo.put("src/churn/__init__.py", "")
    monorepo.put("src/tool/pyproject.toml", API)
    monorepo.put("src/tool/setup.py", "")
    assert monorepo.add().into == "src/churn"


def test_a_project_without_a_package_gets_one(monorepo: Shop) -> None:
    monorepo.put("libs/my-shared/pyproject.toml", API.replace('"api"', '"our-shared"'))
    with pytest.raises(UsageError) as caught:
        monorepo.add()
    assert "--to libs/my-shared or" in str(caught.value.hint)
    record = monorepo.add(to="libs/my-shared")
    assert (record.into, record.package) == ("libs/my-shared/src/our_shared", "our_shared.greeting")
    assert set(record.made) == {"libs/my-shared/src/our_shared/__init__.py"}
    monorepo.remove()
    assert not (monorepo.root / "libs/my-shared/src").exists()


@pytest.mark.parametrize(
    ("files", "to", "project", "package"),
    [
        ({"a/pyproject.toml": API}, "a/api", "a", "api"),
        ({"a/pyproject.toml": API, "a/src/__init__.py": ""}, "a", "a", "src"),
        ({"a/pyproject.toml": API}, "a/src/x/deep", "a", "x.deep"),
        ({"a/pyproject.toml": API, "a/b/pyproject.toml": WEB}, "a/b/src/web", "a/b", "web"),
        ({"a/pyproject.toml": "[tool.ruff]\nline-length = 90\n"}, "a/b", "", "a.b"),
        ({"a/pyproject.toml": "[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\n"}, "a/b", "a", "b"),
        ({"a/requirements.txt": "", "a/b/__init__.py": ""}, "a/b", "a", "b"),
        ({"a/__init__.py": "", "a/requirements.txt": ""}, "a/b", "", "a.b"),
        ({"src/requirements.txt": ""}, "src/b", "", "b"),
        ({"src/a/pyproject.toml": API, "src/a/a/__init__.py": ""}, "src/a", "src/a", "a"),
    ],
)
def test_the_nearest_project_above_is_the_one(
    shop: Shop, files: dict[str, str], to: str, project: str, package: str
) -> None:
    for path, text in files.items():
        shop.put(path, text)
    before = shop.tree()
    record = shop.add(to=to)
    assert (record.project, record.package) == (project, f"{package}.greeting")
    assert all(path.startswith(f"{project}/" if project else "") for path in where(record))
    shop.remove()
    assert shop.tree() == before


def test_requirements_of_a_project_can_stand_in_a_file_of_pips(shop: Shop) -> None:
    text = "# Pinned by hand.\n\n-r ../../common.txt\nflask\n"
    shop.put("services/api/requirements.txt", text)
    shop.put("services/api/api/__init__.py", "")
    shop.put("common.txt", "rich\n")
    before = shop.tree()
    record = shop.add(to="services/api/api")
    assert where(record) == ["services/api/requirements.txt"]
    assert shop.read("services/api/requirements.txt") == text.replace("flask", "tabulate>=0.9\nflask")
    assert sorted(shop.resolved) == ["flask", "rich", "tabulate>=0.9"]
    shop.remove()
    assert shop.tree() == before


def test_what_a_file_above_asks_for_is_there_already(shop: Shop) -> None:
    shop.put("services/api/requirements.txt", "-r ../../common.txt\n")
    shop.put("common.txt", "tabulate>=0.9\n")
    assert where(shop.add(to="services/api/api")) == []


def test_a_project_that_says_it_otherwise_is_refused_with_its_file(shop: Shop) -> None:
    shop.put("services/api/setup.py", "from setuptools import setup\nsetup()\n")
    before = shop.tree()
    with pytest.raises(WorkspaceError, match=r"depends on in services/api/setup\.py") as caught:
        shop.add(to="services/api/src/api")
    assert "Write it in services/api/setup.py yourself" in str(caught.value.hint)
    assert shop.tree() == before


def test_versions_that_exclude_each_other_are_told_of_that_project(monorepo: Shop) -> None:
    monorepo.put("services/api/pyproject.toml", API.replace('"rich"', '"tabulate<0.9"'))
    with pytest.raises(DependencyError) as caught:
        monorepo.add(to="services/api")
    assert "services/api/pyproject.toml" in str(caught.value.hint)
    assert monorepo.add(to="services/web").project == "services/web"


def test_projects_are_found_wherever_somebody_works_on_them(monorepo: Shop) -> None:
    for path in ("docs/x", "tests/cases/x", ".venv/x", "services/api/node_modules/x"):
        monorepo.put(f"{path}/pyproject.toml", API)
    monorepo.put("tools/lint/pyproject.toml", "[tool.ruff]\n")
    monorepo.put("tools/broken/pyproject.toml", "[project\n")
    tree = Tree(monorepo.root)
    assert projects(tree) == ("services/api", "services/web", "tools/broken")
    assert project_of(tree, "services/api/src/api") == "services/api"
    assert project_of(tree, "services/api") == ""


def test_its_tests_run_in_the_project(monorepo: Shop) -> None:
    monorepo.put("services/api/conftest.py", "")
    monorepo.add(to="services/api")
    assert prove(monorepo.components, monorepo.components.added()["greeting"], silent, written=True) == (
        "services/api/tests/test_greeting.py",
    )
