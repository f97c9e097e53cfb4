"""Settings of a component in a repository of several projects: in the files of its own project."""

from __future__ import annotations

from tests.component_stage import Shop
from tests.settings_components import USERS_ENV, USERS_TOML, USERS_YAML, offers


def test_settings_go_into_the_files_of_the_project(monorepo: Shop) -> None:
    for path, text in {"config/app.yaml": USERS_YAML, "pyproject.toml": USERS_TOML, ".env.example": USERS_ENV}.items():
        monorepo.put(path, text)
        monorepo.put(f"services/api/{path}", text)
    before = monorepo.tree()
    offers(monorepo, "limits", "{LIMIT: how many}", yaml="limit: 3\n", toml="[tool.limits]\na = 1\n")
    record = monorepo.add("limits", to="services/api")
    assert set(record.settings) == {
        "services/api/.env.example",
        "services/api/config/app.yaml",
        "services/api/pyproject.toml",
    }
    assert "limit: 3" in monorepo.read("services/api/config/app.yaml")
    after = monorepo.tree()
    changed = {path for path in before if before[path] != after[path]}
    assert changed == set(record.settings)
    offers(monorepo, "limits", "{LIMIT: how many}", "1.1", yaml="limit: 4\n", toml="[tool.limits]\na = 1\n")
    monorepo.update("limits")
    assert "limit: 4" in monorepo.read("services/api/config/app.yaml")
    monorepo.remove("limits")
    assert monorepo.tree() == before


def test_a_settings_file_that_it_makes_goes_with_it(monorepo: Shop) -> None:
    before = monorepo.tree()
    offers(monorepo, "limits", yaml="limit: 3\n")
    monorepo.add("limits", to="services/web")
    assert monorepo.read("services/web/config/app.yaml") == "limit: 3\n"
    monorepo.remove("limits")
    assert monorepo.tree() == before
