"""Components that put settings into the user's files: added, owned, told, and taken out again to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.errors import SpecError, WorkspaceError
from tests.component_stage import Shop
from tests.settings_components import USERS_ENV, USERS_YAML, offers, users
from tests.shell_stage import Say

YAML = "cache:\n  # how many\n  size: 10\n  kinds: [pages, rows]\nserver:\n  port: 8080\n  host: here\n"
ALL = {
    "yaml": YAML,
    "toml": "[tool.cache]\nsize = 10\n",
    "json": '{"cache": {"size": 10}, "server": {"port": 81, "host": "here"}}',
    "env": "# how many\nCACHE_SIZE=10\n",
}


def added(shop: Shop, *names: str) -> Shop:
    for name in names:
        shop.add(name)
    return shop


def test_they_go_beside_what_is_there_and_out_again_to_the_byte(shop: Shop) -> None:
    before = users(shop)
    offers(shop, "cache", "{CACHE_URL: where it is}", **ALL)
    record = shop.add("cache")
    assert shop.read("config/app.yaml") == (
        "# ours\nserver:\n  port: 80  # do not change\n  host: here\n"
        "cache:\n  kinds:\n    - pages\n    - rows\n  # how many\n  size: 10\n\n# the end\n"
    )
    assert shop.read("pyproject.toml").endswith("[tool.ours]\nx = 1\n\n[tool.cache]\nsize = 10\n")
    assert shop.read("settings.json") == (
        '{\n    "server": {"port": 80, "host": "here"},\n    "cache": {\n      "size": 10\n    }\n}\n'
    )
    env = "# how many\nCACHE_SIZE=10\n# where it is\nCACHE_URL=\n"
    assert shop.read(".env.example") == USERS_ENV + env
    assert not any(known.made for known in record.settings.values())
    assert shop.state("cache") == "clean"
    shop.remove("cache")
    assert shop.tree() == before


def test_files_that_are_not_there_are_made_and_go_again(shop: Shop) -> None:
    before = shop.tree()
    offers(shop, "cache", "{CACHE_URL: where it is}", **ALL)
    shop.add("cache")
    assert shop.read("config/app.yaml").startswith(
        "cache:\n  kinds:\n    - pages\n    - rows\n  # how many\n  size: 10\n"
    )
    assert 'name = "churn"' in shop.read("pyproject.toml")
    assert shop.read(".env.example") == "# how many\nCACHE_SIZE=10\n# where it is\nCACHE_URL=\n"
    shop.remove("cache")
    assert shop.tree() == before


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_and_a_mark_stay(shop: Shop, end: str) -> None:
    text = b"\xef\xbb\xbf" + USERS_YAML.replace("\n", end).encode()
    shop.put("config/app.yaml", text)
    offers(shop, "cache", yaml=YAML)
    shop.add("cache")
    now = (shop.root / "config/app.yaml").read_bytes()
    assert now.startswith(b"\xef\xbb\xbf# ours")
    assert now.count(b"\n") == now.count(end.encode())
    shop.remove("cache")
    assert (shop.root / "config/app.yaml").read_bytes() == text


def test_a_second_time_nothing_is_written(shop: Shop) -> None:
    users(shop)
    offers(shop, "cache", **ALL)
    shop.add("cache")
    before = shop.tree()
    assert shop.components.plan(shop.template("cache")) is None
    shop.add("cache")
    assert shop.tree() == before


def test_a_dry_run_tells_and_a_file_of_the_users_asks(shop: Shop, say: Say) -> None:
    before = users(shop)
    offers(shop, "cache", **ALL)
    said = say("-C", str(shop.root), "--json", "add", "cache", "--dry-run")
    assert {row["path"]: row["kind"] for row in said.json["edits"]}["config/app.yaml"] == "change"
    assert said.json["settings"]["config/app.yaml"] == [
        "cache.kinds.pages",
        "cache.kinds.rows",
        "cache.size",
        "server.host",
    ]
    assert said.json["settings_kept"] == {"config/app.yaml": ["server.port"], "settings.json": ["server.port"]}
    refused = say("-C", str(shop.root), "add", "cache")
    assert refused.code == 2
    assert "config/app.yaml" in refused.err
    assert "+  host: here" in refused.out + refused.err
    assert shop.tree() == before
    done = say("-C", str(shop.root), "-y", "add", "cache")
    assert done.code == 0
    lines = done.out.splitlines()
    assert "settings: .env.example, config/app.yaml, pyproject.toml, settings.json" in lines
    assert "left as you have it: server.port in config/app.yaml" in lines


def test_files_that_mlox_made_ask_nobody(shop: Shop, say: Say) -> None:
    offers(shop, "cache", yaml=YAML, toml=ALL["toml"])
    offers(shop, "limits", yaml="limits: {burst: 3}\n", toml="[tool.limits]\nburst = 3\n")
    for name in ("cache", "limits"):
        assert say("-C", str(shop.root), "add", name).code == 0
    shop.put("config/app.yaml", shop.read("config/app.yaml") + "mine: 1\n")
    offers(shop, "third", yaml="third: 1\n")
    assert say("-C", str(shop.root), "add", "third").code == 2


def test_a_removal_keeps_what_the_user_changed_and_says_so(shop: Shop, say: Say) -> None:
    users(shop)
    offers(shop, "cache", **ALL)
    shop.add("cache")
    shop.put("config/app.yaml", shop.read("config/app.yaml").replace("size: 10", "size: 99"))
    assert shop.state("cache") == "edited"
    assert "settings changed: cache.size in config/app.yaml" in say("-C", str(shop.root), "status").out
    said = say("-C", str(shop.root), "remove", "cache")
    assert said.code == 3
    assert "kept in config/app.yaml, since you changed it: cache.size" in said.out.splitlines()
    assert shop.read("config/app.yaml") == (
        "# ours\nserver:\n  port: 80  # do not change\ncache:\n  # how many\n  size: 99\n\n# the end\n"
    )


def test_a_setting_that_is_gone_is_told(shop: Shop, say: Say) -> None:
    users(shop)
    offers(shop, "cache", **ALL)
    shop.add("cache")
    shop.put("settings.json", '{"server": {"port": 80, "host": "here"}}')
    assert shop.state("cache") == "edited"
    assert "cache.size (gone) in settings.json" in say("-C", str(shop.root), "status").out
    (shop.root / "settings.json").unlink()
    assert shop.state("cache") == "missing"
    check = say("-C", str(shop.root), "check", "--exit-code")
    assert check.code == 4
    assert "settings.json is gone" in check.out


def test_what_two_set_to_one_value_has_two_owners(shop: Shop) -> None:
    before = users(shop)
    offers(shop, "cache", yaml='server:\n  host: "here"  # of cache\n', env="# for the cache\nREDIS_URL=\n")
    offers(shop, "limits", yaml="server:\n  # of limits\n  host: here\n", env="# for limits\nREDIS_URL=\n")
    trees = []
    for order in (["cache", "limits"], ["limits", "cache"]):
        added(shop, *order)
        trees.append(shop.tree())
        assert "# for the cache\nREDIS_URL=\n" in shop.read(".env.example")
        shop.remove("cache")
        assert "# for limits\nREDIS_URL=\n" in shop.read(".env.example")
        assert "  # of limits\n  host: here\n" in shop.read("config/app.yaml")
        shop.remove("limits")
        assert shop.tree() == before
    assert trees[0] == trees[1]


def test_what_two_set_to_different_values_is_refused_by_their_names(shop: Shop) -> None:
    users(shop)
    offers(shop, "cache", yaml="server: {host: here}\n")
    offers(shop, "limits", yaml="server: {host: there}\n")
    offers(shop, "deep", yaml="server: {host: {name: x}}\n")
    shop.add("cache")
    before = shop.tree()
    for name in ("limits", "deep"):
        with pytest.raises(WorkspaceError, match=rf"config/app.yaml: cache has set server.host .* {name} asks") as seen:
            shop.add(name)
        assert "mlox remove cache" in str(seen.value.hint)
        assert shop.tree() == before


def test_what_somebody_changed_since_is_shared_all_the_same(shop: Shop) -> None:
    users(shop)
    offers(shop, "cache", yaml="server: {host: here}\n")
    offers(shop, "limits", yaml="server: {host: here}\n")
    shop.add("cache")
    shop.put("config/app.yaml", shop.read("config/app.yaml").replace("host: here", "host: mine"))
    shop.add("limits")
    assert "host: mine" in shop.read("config/app.yaml")
    assert (shop.state("cache"), shop.state("limits")) == ("edited", "edited")


def test_names_go_where_the_user_keeps_names_and_no_value_ever(shop: Shop) -> None:
    offers(shop, "cache", "{CACHE_URL: where it is, STAGE: which one}")
    shop.add("cache")
    assert not (shop.root / ".env.example").exists()
    shop.remove("cache")
    shop.put(".env.example", USERS_ENV)
    shop.put(".env", "STAGE=dev\n")
    before = shop.tree()
    addition = shop.components.plan(shop.template("cache"))
    assert addition is not None
    assert addition.kept == {}
    shop.add("cache")
    assert shop.read(".env.example") == f"{USERS_ENV}# where it is\nCACHE_URL=\n"
    assert shop.read(".env") == "STAGE=dev\n"
    shop.remove("cache")
    assert shop.tree() == before


def test_names_of_mlox_own_components_go_there_in_any_order(tmp_path: Path) -> None:
    names = ["caching", "feature-store", "rate-limiting"]
    texts = set()
    for order in (names, names[::-1]):
        root = tmp_path / order[0]
        root.mkdir()
        shop = Shop(root)
        shop.put("src/churn/__init__.py", "")
        shop.put(".env.example", USERS_ENV)
        before = shop.tree()
        added(shop, *order)
        texts.add(shop.read(".env.example"))
        assert shop.read(".env.example").count("REDIS_URL=\n") == 1
        for name in (*order, "api-serving"):
            shop.remove(name)
        assert shop.tree() == before
    assert len(texts) == 1
    assert "REDIS_URL=\n" in texts.pop()


@pytest.mark.parametrize("text", ["A=1\nA=2\n", "A='\n", "\udcff"])
def test_a_file_of_names_that_cannot_be_edited_is_left_alone(shop: Shop, text: str) -> None:
    shop.put(".env.example", text.encode("utf-8", "surrogateescape"))
    offers(shop, "cache", "{CACHE_URL: where it is}")
    assert shop.add("cache").settings == {}


@pytest.mark.parametrize(("path", "text"), [("config/app.yaml", "a: [\n"), ("pyproject.toml", "[tool.x\n")])
def test_a_file_that_does_not_parse_is_refused_by_name(shop: Shop, path: str, text: str) -> None:
    shop.put(path, text)
    offers(shop, "cache", yaml=YAML, toml="[tool.cache]\nsize = 1\n")
    before = shop.tree()
    with pytest.raises(SpecError, match=path):
        shop.add("cache")
    assert shop.tree() == before


def test_a_file_of_a_component_takes_no_settings(shop: Shop) -> None:
    offers(shop, "cache", yaml=YAML)
    manifest = "src/churn/cache/data.yaml"
    offers(shop, "evil")
    text = (shop.root / "mlx-components/evil/component.yaml").read_text().replace("[]", f"[{manifest}]")
    shop.put("mlx-components/evil/component.yaml", text)
    shop.put(f"mlx-components/evil/settings/{manifest}", "a: 1\n")
    files = (shop.root / "mlx-components/cache/component.yaml").read_text().replace("y]", "y, data.yaml]")
    shop.put("mlx-components/cache/component.yaml", files)
    shop.put("mlx-components/cache/src/project/cache/data.yaml", "b: 1\n")
    shop.add("cache")
    with pytest.raises(WorkspaceError, match=r"a file of cache; nothing was written"):
        shop.add("evil")


def test_with_requirements_of_pip_only_the_table_is_written(shop: Shop) -> None:
    shop.put("requirements.txt", "tabulate\n")
    shop.put("src/churn/__init__.py", "")
    before = shop.tree()
    offers(shop, "cache", toml="[tool.cache]\nsize = 1\n")
    added(shop, "cache", "greeting")
    assert shop.read("pyproject.toml") == "[tool.cache]\nsize = 1\n"
    shop.remove("cache")
    shop.remove()
    assert shop.tree() == before


def test_what_stays_untracked_stays(shop: Shop) -> None:
    users(shop)
    offers(shop, "cache", **ALL)
    shop.add("cache")
    text = shop.read("config/app.yaml")
    shop.remove("cache", keep=True)
    assert shop.read("config/app.yaml") == text


def test_undo_takes_them_back(shop: Shop) -> None:
    before = users(shop)
    offers(shop, "cache", **ALL)
    shop.add("cache")
    shop.changes.undo()
    assert shop.tree() == before
