"""What the verbs of registries say and write, in the shell and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlox.specs.registry import json_schema
from tests.component_stage import Shop, offer, template_files
from tests.registry_stage import commit, publish, served
from tests.shell_stage import Say, files
from tests.test_registries import GREETING, acme, versions


def test_a_component_is_begun_looked_over_and_published(demo: Say, isolated: Path) -> None:
    said = demo("registry", "new", "fraud-scores")
    assert said.out.splitlines() == [
        "wrote: mlx-components/fraud-scores (5 files)",
        "look it over: mlox registry validate fraud-scores",
        "try it out: mlox registry test fraud-scores",
    ]
    assert (isolated / "mlx-components/fraud-scores/src/project/fraud_scores/README.md").is_file()
    assert demo("registry", "new", "fraud-scores").code == 2
    first = demo("registry", "validate")
    assert first.code == 0
    assert "registry.json: it is missing" in first.out
    strict = demo("registry", "validate", "--strict")
    assert (strict.code, strict.out.splitlines()[-1]) == (1, "1 component: 1 error, 0 warnings")
    built = demo("registry", "build")
    assert built.out == "mlx-components/registry.json written: 1 version of components\n"
    text = (isolated / "mlx-components/registry.json").read_bytes()
    again = demo("--json", "registry", "build", "mlx-components").json
    assert (again["written"], again["components"], again["changed"]) == (False, ["fraud-scores 0.1"], [])
    assert (isolated / "mlx-components/registry.json").read_bytes() == text
    for what in ((), ("mlx-components",), ("fraud-scores",), ("mlx-components/fraud-scores",)):
        valid = demo("--json", "registry", "validate", *what, "--strict").json
        assert valid == {"components": 1, "valid": True, "faults": []}
    assert demo("add", "fraud-scores").code == 0


def test_a_version_that_changes_is_told_when_registry_json_is_built(demo: Say, isolated: Path) -> None:
    demo("registry", "new", "fraud")
    demo("registry", "build")
    (isolated / "mlx-components/fraud/src/project/fraud/greeting.py").write_text('PUNCTUATION = "?"\n')
    invalid = demo("--json", "registry", "validate", "mlx-components")
    assert invalid.code == 1
    assert "mlox registry build mlx-components" in json.loads(invalid.out)["faults"][0]["problem"]
    said = demo("registry", "build")
    assert "changed, though its version is the same: fraud 0.1" in said.out


def test_dry_runs_write_nothing(demo: Say, isolated: Path, data_home: Path) -> None:
    demo("registry", "new", "fraud")
    folder = publish(isolated.parent / "acme", {"greeting": template_files()})
    before = files(isolated, data_home)
    for words in (
        ("new", "other"),
        ("build",),
        ("test", "fraud"),
        ("add", "@acme", str(folder)),
    ):
        assert demo("registry", *words, "--dry-run").code == 0, words
    assert files(isolated, data_home) == before


def test_the_schema_is_printed(say: Say) -> None:
    assert say("registry", "build", "--schema").out == json_schema()


def test_registries_come_into_mlox_yaml_and_go_and_comments_stay(demo: Say, isolated: Path) -> None:
    spec = isolated / "mlox.yaml"
    spec.write_text(spec.read_text() + "# the end\n")
    before = spec.read_text()
    folder = publish(isolated / "parts", {"greeting": template_files()})
    git = publish(isolated.parent / "repository/deep", {"greeting": template_files()}).parent
    commit(git, tag="v1")
    with served(folder) as (url, _):
        assert demo("registry", "add", "one", "parts").out.splitlines() == [
            "@one added to mlox.yaml",
            "add one: mlox add @one/greeting",
        ]
        assert demo("registry", "add", "@two", f"{git}@v1#deep", "--git").code == 0
        assert demo("registry", "add", "@three", url).code == 0
        rows = demo("--json", "registry", "list").json["registries"]
        assert [(row["name"], row["kind"], row["state"], row["components"]) for row in rows][1:] == [
            ("@one", "folder", "ok", 1),
            ("@three", "https", "ok", 1),
            ("@two", "git", "ok", 1),
        ]
        listed = demo("--json", "registry", "list", "@two").json
        assert listed["components"] == [{"name": "greeting", "versions": [{"version": "1.0", "yanked": ""}]}]
        assert listed["source"].startswith(f"{git}@")
        assert demo("registry", "validate", "@two", "--strict").code == 1, "greeting has no README"
        assert demo("--json", "registry", "validate", "@two/greeting").json["valid"] is True
        assert demo("registry", "add", "one", "parts").out == "@one is in mlox.yaml already\n"
        other = demo("registry", "add", "@one", url)
        assert (other.code, "mlox registry remove @one" in other.err) == (2, True)
        assert "  '@two':" in spec.read_text() or '  "@two":' in spec.read_text()
        assert "# the end\n" in spec.read_text()
    for name in ("@one", "two", "three"):
        assert demo("registry", "remove", name).code == 0
    assert spec.read_text() == before
    assert demo("registry", "remove", "@one").code == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "@x", "nowhere"), 1),
        (("add", "@x", "http://example.org/parts"), 2),
        (("add", "@X", "parts"), 2),
        (("add", "x/y", "parts"), 2),
        (("add", "@x", "ext::sh -c true", "--git"), 2),
        (("add", "@x", "https://user:hunter22@example.org/x"), 2),
        (("add", "@x", "nowhere", "--git"), 1),
        (("list", "@x"), 2),
        (("validate", "nope"), 2),
        (("validate", "@nope"), 2),
        (("test", "nope"), 2),
        (("build", "nope"), 2),
        (("new", "redis"), 2),
        (("new", "feature-store"), 2),
        (("new", "No"), 2),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    demo: Say, isolated: Path, words: tuple[str, ...], code: int
) -> None:
    before = {path: text for path, text in files(isolated).items() if "/local/" not in path}
    said = demo("registry", *words)
    assert said.code == code
    assert "hint: " in said.err
    assert "hunter22" not in said.err
    assert {path: text for path, text in files(isolated).items() if "/local/" not in path} == before


def test_a_component_is_added_looked_at_and_removed_by_its_whole_name(shop: Shop, say: Say) -> None:
    here = ("-C", str(shop.root))
    publish(shop.root.parent / "acme", {"greeting": template_files(version="2.0")})
    say(*here, "registry", "add", "@acme", str(shop.root.parent / "acme"))
    before = shop.tree()
    assert "would add 3 files" in say(*here, "add", "@acme/greeting", "--dry-run").out
    added = say(*here, "--json", "add", "@acme/greeting@2.0", "--set", "times=3").json
    assert (added["name"], added["version"]) == ("@acme/greeting", "2.0")
    assert say(*here, "add", "@acme/greeting@1.0").code == 2
    info = say(*here, "info", "@acme/greeting").out
    assert "in this repository: src/churn/greeting, version 2.0, clean" in info
    assert say(*here, "up", "@acme/greeting").code == 2
    assert say(*here, "add", "@acme/greting").code == 2
    assert say(*here, "remove", "@acme/greeting").code == 0
    assert shop.tree() == before


@pytest.mark.live
def test_a_component_is_tried_out_in_an_environment_of_its_own(demo: Say, isolated: Path, data_home: Path) -> None:
    demo("registry", "new", "fraud")
    before = files(isolated, data_home)
    tried = demo("registry", "test", "fraud")
    assert (tried.code, [line.split()[0] for line in tried.out.splitlines()]) == (0, ["ok"] * 4), tried
    test = isolated / "mlx-components/fraud/tests/test_fraud.py"
    test.write_text(test.read_text() + "\ndef test_fails() -> None:\n    assert greet('you') == 'no'\n")
    tried = demo("registry", "test", "mlx-components/fraud")
    assert tried.code == 1
    assert "1 failed, 1 passed" in tried.out
    code = isolated / "mlx-components/fraud/src/project/fraud/greeting.py"
    code.write_text("import packaging\n" + code.read_text())
    tried = demo("registry", "test", "fraud")
    assert tried.code == 1
    assert "No module named 'packaging'" in tried.out
    assert [line.split()[0] for line in tried.out.splitlines()[:4]] == ["ok", "ok", "failed", "skipped"]
    assert files(isolated, data_home).keys() == before.keys()


def test_an_update_goes_to_the_named_version_of_the_named_registry(shop: Shop, say: Say) -> None:
    components = acme(shop, versions("1.0"))
    components.add(components.template(GREETING))
    offer(shop.root, template_files("other"), "other")
    shop.add("other", to="src/other")
    acme(shop, versions("3.0", "2.0", "1.0"))
    offer(shop.root, template_files("other", version="9.0"), "other")
    here = ("-C", str(shop.root), "-y", "update")
    assert f"{GREETING} 1.0 → 3.0" in say(*here, GREETING).out
    assert f"{GREETING} 3.0 → 2.0" in say(*here, f"{GREETING}@2.0").out
    said = say(*here, f"{GREETING}@4.0")
    assert (said.code, f"there is no {GREETING} 4.0" in said.err) == (2, True), said.err
    assert components.added()["other"].version == "1.0"
