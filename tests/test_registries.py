"""What a workspace takes from registries of its own: versions, names, and what becomes of it when one is gone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlox.components import Template, closure
from mlox.errors import MloxError, SpecError, UnknownNameError, UsageError, WorkspaceError
from mlox.specs import RegistrySpec
from mlox.stack import Components, Stack
from mlox.stack.registries import configure
from tests.component_stage import Shop, offer, template_files
from tests.registry_stage import commit, publish, served
from tests.shell_stage import Say

GREETING = "@acme/greeting"


def versions(*numbers: str, yanked: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """The files of ``greeting`` in some versions, the newest first; each says its version."""
    found: dict[str, bytes] = {}
    for place, number in enumerate(numbers):
        files = template_files(version=number)
        files["src/project/greeting/words.py"] += f"VERSION = '{number}'\n".encode()
        if number in (yanked or {}):
            files["component.yaml"] += f"yanked: {(yanked or {})[number]}\n".encode()
        found |= {f"versions/{number}/{path}" if place else path: text for path, text in files.items()}
    return found


def acme(shop: Shop, files: Mapping[str, bytes], *, kind: str = "folder") -> Components:
    """The workspace with a registry ``@acme`` that has ``greeting``, published anew."""
    folder = shop.root.parent / "acme"
    git = folder / ".git"
    if folder.exists():
        for one in folder.iterdir():
            if one != git:
                shutil.rmtree(one) if one.is_dir() else one.unlink()
    publish(folder, {"greeting": files})
    spec = RegistrySpec(folder="../acme")
    if kind == "git":
        commit(folder)
        spec = RegistrySpec(git=str(folder))
    if "@acme" not in shop.components.stack.spec().registries:
        configure(shop.components.stack, "@acme", spec, emit=lambda _: None)
    return Components(Stack(path=shop.root))


@pytest.mark.parametrize("kind", ["folder", "git"])
def test_versions_come_and_go_between_v1_and_v4(shop: Shop, kind: str) -> None:
    components = acme(shop, versions("1.0"), kind=kind)
    components.add(components.template(GREETING))
    assert [row.state for row in components.rows()] == ["clean"]
    components = acme(shop, versions("4.0", "3.0", "2.0", "1.0"), kind=kind)
    assert components.template(GREETING).spec.version == "4.0"
    for number in ("1.0", "2.0", "3.0", "4.0"):
        template = components.template(GREETING, number)
        assert f"VERSION = '{number}'".encode() in template.files["src/project/greeting/words.py"]
    assert [row.state for row in components.rows()] == ["update"]
    with pytest.raises(UnknownNameError, match="there is no @acme/greeting 5.0"):
        components.template(GREETING, "5.0")
    components.remove(GREETING)
    components.add(components.template(GREETING, "2.0"))
    record = components.added()[GREETING]
    assert (record.version, record.name) == ("2.0", GREETING)
    assert (shop.root / ".mlox/components/acme__greeting.json").is_file()
    assert "acme" in record.source
    if kind == "git":
        assert record.source.rpartition("@")[2] == commit_of(shop)


def test_of_an_edited_component_a_newer_version_is_told_too(shop: Shop) -> None:
    components = acme(shop, versions("1.0"))
    components.add(components.template(GREETING))
    path = next(path for path in components.added()[GREETING].files if path.endswith("words.py"))
    shop.put(path, "MINE = 1\n")
    assert [(row.state, row.note) for row in components.rows()] == [("edited", "")]
    components = acme(shop, versions("1.1", "1.0"))
    assert components.template(GREETING).spec.version == "1.1"
    assert [(row.state, row.note) for row in components.rows()] == [("edited", "there is a newer version: 1.1")]


def commit_of(shop: Shop) -> str:
    from tests.registry_stage import git

    return git(shop.root.parent / "acme", "rev-parse", "HEAD")


def test_a_yanked_version_is_not_offered_unless_it_is_named(shop: Shop) -> None:
    components = acme(shop, versions("2.0", "1.0"))
    components.add(components.template(GREETING))
    digest = components.added()[GREETING].digest
    components = acme(shop, versions("2.0", "1.0", yanked={"2.0": "it greets nobody"}))
    assert components.template(GREETING).spec.version == "1.0"
    named = components.template(GREETING, "2.0")
    assert named.digest == digest, "that it was yanked changes no digest"
    assert [offer.version for offer in components.registries.look_up(GREETING, named)] == ["1.0"]
    assert components.add(named) is None
    (row,) = components.rows()
    assert (row.state, row.note) == ("clean", "version 2.0 was yanked: it greets nobody")
    components = acme(shop, versions("1.0", yanked={"1.0": "all is lost"}))
    with pytest.raises(UsageError, match="every version of @acme/greeting was yanked; 1.0: all is lost") as caught:
        components.template(GREETING)
    assert caught.value.hint
    assert "mlox add @acme/greeting@1.0" in caught.value.hint


def test_what_is_yanked_stands_on_one_line() -> None:
    files = template_files()
    files["component.yaml"] += b"yanked: >-\n  folded, and\n  version: two\n"
    with pytest.raises(SpecError, match="yanked is not on one line"):
        Template.parse("greeting", files, source="x")


def test_the_same_version_with_another_digest_is_refused(shop: Shop) -> None:
    components = acme(shop, versions("1.0"))
    components.add(components.template(GREETING))
    before = shop.tree()
    components = acme(shop, {**versions("1.0"), "src/project/greeting/words.py": b"KEEP = 1\nTIMES = 2\n"})
    with pytest.raises(SpecError) as caught:
        components.add(components.template(GREETING))
    assert "changed @acme/greeting 1.0 after it was published" in caught.value.problem
    assert shop.tree() == before
    assert [row.note for row in components.rows()] == [""]


def test_a_changed_version_is_told_by_status_where_the_registry_lists_digests(shop: Shop) -> None:
    folder = publish(shop.root.parent / "web", {"greeting": versions("1.0")})
    with served(folder) as (url, _):
        configure(shop.components.stack, "@web", RegistrySpec(url=url), emit=lambda _: None)
        components = Components(Stack(path=shop.root))
        components.add(components.template("@web/greeting"))
        (folder / "greeting/src/project/greeting/words.py").write_bytes(b"KEEP = 1\nTIMES = 2\n")
        publish(folder, {})
        later = Components(Stack(path=shop.root))
        assert [row.note for row in later.rows()] == [""], "looking asks nobody"
        later.registries.versions("@web/greeting")
        (row,) = later.rows()
        assert row.note == "version 1.0 was changed in its registry after it was published"
        with pytest.raises(SpecError, match="after it was published"):
            later.add(later.template("@web/greeting"))


def test_a_namespace_never_stands_in_for_what_is_here(shop: Shop) -> None:
    components = acme(shop, versions("9.0"))
    assert components.template("greeting").spec.version == "1.0"
    assert components.template("greeting").source == "mlx-components"
    assert "greeting" in components.names()
    by = components.template(GREETING)
    assert [offer.name for offer in components.registries.look_up("greeting", by)] == ["greeting"]
    components.add(components.template("greeting"))
    assert set(components.added()) == {"greeting"}


def test_what_a_component_needs_is_looked_for_here_first_and_then_in_its_registry(shop: Shop) -> None:
    folder = shop.root.parent / "acme"
    needing = template_files("limits")
    needing["component.yaml"] += b'components: {base: ">=1,<2", feature-store: ""}\n'
    publish(folder, {"base": template_files("base", version="1.5"), "limits": needing})
    configure(shop.components.stack, "@acme", RegistrySpec(folder="../acme"), emit=lambda _: None)
    components = Components(Stack(path=shop.root))
    root = components.template("@acme/limits")
    order = closure(root, components.registries.look_up, components.added())
    assert [template.name for template in order] == ["@acme/base", "feature-store", "@acme/limits"]


@pytest.mark.parametrize("kind", ["folder", "git", "https"])
def test_a_registry_that_is_gone_loses_nothing(shop: Shop, say: Say, kind: str) -> None:
    folder = publish(shop.root.parent / "acme", {"greeting": versions("1.0")})
    before = shop.tree()
    here = ("-C", str(shop.root))
    with served(folder) as (url, _):
        if kind == "git":
            commit(folder)
        address = {"folder": str(folder), "git": f"{folder}", "https": url}[kind]
        git = ("--git",) if kind == "git" else ()
        assert say(*here, "registry", "add", "@acme", address, *git).code == 0
        assert say(*here, "add", GREETING).code == 0
    shutil.rmtree(folder)
    status = say(*here, "--json", "status")
    assert status.json["components"][0]["name"] == GREETING
    assert status.json["components"][0]["state"] == "clean"
    words = shop.root / "src/churn/greeting/words.py"
    as_it_came = words.read_bytes()
    words.write_text("mine = 1\n")
    assert say(*here, "--json", "status", GREETING).json["components"][0]["state"] == "edited"
    listed = {row["name"]: row for row in say(*here, "--json", "registry", "list").json["registries"]}
    assert listed["@acme"]["state"] == "gone"
    assert listed["built-in"]["state"] == "ok"
    assert say(*here, "check").code == 0
    assert say(*here, "catalog").code == 0
    assert say(*here, "add", "greeting").code == 1, "its files are there already, and are another's"
    gone = say(*here, "add", "@acme/other")
    assert gone.code == 1
    assert "hint:" in gone.err
    assert "Traceback" not in gone.err
    assert say(*here, "remove", GREETING, "--dry-run").code == 3
    words.write_bytes(as_it_came)
    assert say(*here, "remove", GREETING).code == 0
    assert say(*here, "registry", "remove", "@acme").code == 0
    assert shop.tree() == before


def test_a_token_is_asked_of_the_environment_and_kept_nowhere(
    shop: Shop, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "tok-3f9a8b7c6d5e4f"
    folder = publish(shop.root.parent / "acme", {"greeting": versions("1.0")})
    here = ("-C", str(shop.root))
    with served(folder) as (url, asked):
        said = say(*here, "registry", "add", "acme", url, "--token-env", "ACME_TOKEN")
        assert (said.code, "ACME_TOKEN, which is not set" in said.err) == (1, True)
        assert not asked
        monkeypatch.setenv("ACME_TOKEN", token)
        texts = [say(*here, "registry", "add", "acme", url, "--token-env", "ACME_TOKEN")]
        texts += [say(*here, "-v", *words) for words in (("add", GREETING), ("registry", "list"), ("status",))]
        assert [said.code for said in texts] == [0, 0, 0, 0]
        assert {headers.get("Authorization") for _, headers in asked} == {f"Bearer {token}"}
    assert token not in "".join(f"{said.out}{said.err}" for said in texts)
    for path in shop.root.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
    assert "token_env: ACME_TOKEN" in (shop.root / "mlox.yaml").read_text()
    monkeypatch.setenv("ACME_TOKEN", f"{token}\nX-Other: 1")
    said = say(*here, "registry", "list", "@acme")
    assert (said.code, token in said.err) == (1, False)


@pytest.mark.parametrize(
    "spec",
    [
        {"url": "http://example.org/parts"},
        {"url": "https://user:secret@example.org/parts"},
        {"url": "https://example.org/parts?token=x"},
        {"url": "file:///etc"},
        {"url": "https://[::1"},
        {"git": "https://user:secret@example.org/x.git"},
        {"git": "-u./run"},
        {"folder": "x", "token_env": "TOKEN"},
        {"folder": "a\nb"},
        {"url": "https://example.org", "folder": "x"},
        {"folder": "x", "token_env": "lower"},
        {},
    ],
)
def test_an_address_that_cannot_be_is_refused(spec: dict[str, str]) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - pydantic's own
        RegistrySpec.model_validate(spec)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["@nope/x", "@acme", "@acme/", "@acme/x/y", "@ACME/x", "@acme/.."])
def test_a_name_that_no_registry_has_is_unknown(shop: Shop, name: str) -> None:
    components = acme(shop, versions("1.0"))
    with pytest.raises(UnknownNameError):
        components.template(name)


def test_the_workspaces_own_folder_is_read_as_it_is_also_with_an_old_registry_json(shop: Shop) -> None:
    offer(shop.root, template_files())
    (shop.root / "mlx-components/registry.json").write_text("old")
    assert shop.template().spec.name == "greeting"


def test_what_is_not_known_any_more_is_asked_again(shop: Shop) -> None:
    components = acme(shop, versions("1.0"))
    components.add(components.template(GREETING))
    acme(shop, versions("2.0", "1.0")).template(GREETING)
    assert [row.state for row in components.rows()] == ["update"]
    shutil.rmtree(shop.root / ".mlox/local")
    assert [row.state for row in components.rows()] == ["clean"]
    assert Components(Stack(path=shop.root)).template(GREETING).spec.version == "2.0"
    kept = shop.root / ".mlox/local/registries/acme__greeting.json"
    for damaged in ("[[1", '{"a": 1}', "[[1, 2, 3, 4, 5]]", "7"):
        kept.write_text(damaged)
        assert [row.state for row in components.rows()] == ["clean"]


def test_a_folder_that_is_gone_says_so(tmp_path: Path, shop: Shop) -> None:
    components = acme(shop, versions("1.0"))
    shutil.rmtree(shop.root.parent / "acme")
    with pytest.raises(WorkspaceError, match=r"@acme: there is no folder \.\./acme"):
        components.template(GREETING)
    with pytest.raises(MloxError):
        components.registries.versions(GREETING)
    assert tmp_path.exists()
