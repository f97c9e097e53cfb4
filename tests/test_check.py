"""The verb check: each thing that can be wrong in a workspace is a finding at its place, and nothing is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlox
from mlox.secret import Secret
from mlox.stack import Components
from mlox.testing import FakeBackend
from tests.component_stage import offer, template_files
from tests.live.support import snapshot
from tests.shell_stage import Say

HEAD = "name: churn\nid: churn-00aa\n"


def told(folder: Path | None = None) -> list[tuple[str, str]]:
    """Place and problem of each finding."""
    return [(each.where, each.problem) for each in mlox.Stack(path=folder).check().findings]


def write(text: str) -> None:
    Path("mlox.yaml").write_text(HEAD + text)


@pytest.fixture
def clean(stack: mlox.Stack) -> mlox.Stack:
    """A workspace in which nothing is wrong."""
    stack.add("base")
    stack.add("app")
    return stack


def test_where_all_is_well_nothing_is_found(clean: mlox.Stack, say: Say) -> None:
    assert clean.check().findings == ()
    said = say("check", "--exit-code")
    assert (said.code, said.out) == (0, "nothing to mend: base, app\n")


def test_it_touches_nothing_and_asks_no_server(clean: mlox.Stack, machine: FakeBackend, isolated: Path) -> None:
    clean.up()
    clean.down()
    machine.programs.clear()
    home = Path(machine.home)
    before = snapshot(isolated, home)
    assert clean.check().findings == ()
    assert snapshot(isolated, home) == before


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("services:\n  base: {service: bse, version: '1'}\n", "mlox.yaml:4", "unknown service 'bse'"),
        ("services:\n  base: {service: base}\n", "mlox.yaml:4", "base: the version is not pinned"),
        (
            "services:\n  app:\n    service: app\n    version: '1'\n",
            "mlox.yaml:4",
            "app: the need 'below' is not decided in mlox.yaml",
        ),
        (
            "services:\n  app:\n    service: app\n    version: '1'\n    needs:\n      below: other\n",
            "mlox.yaml:8",
            "app.below: 'other' does not provide base",
        ),
        (
            "services:\n  base:\n    service: base\n    version: '1'\n    options:\n      loud: true\n",
            "mlox.yaml:8",
            "base: unknown option 'loud'",
        ),
        (
            "services:\n  base: {service: base, version: '1', server: gpu}\n",
            "mlox.yaml:4",
            "base: unknown server 'gpu'",
        ),
        (
            "services:\n  redis: {service: redis, version: '1.0'}\n",
            "mlox.yaml:4",
            "redis 1.0 is not supported: the catalog entry fits >=6.2",
        ),
        ("services:\n  base: {service: base, versio: '1'}\n", "mlox.yaml:4", "services.base: unknown key 'versio'"),
        (
            "profiles:\n  gpu:\n    servers: {base: far}\n",
            "mlox.yaml:4",
            "profiles.gpu: unknown service 'base'",
        ),
    ],
)
def test_what_is_wrong_in_mlox_yaml_is_found_at_its_line(text: str, where: str, problem: str, say: Say) -> None:
    write(text)
    said = say("check", "--json")
    assert [(f["file"], f["line"], f["problem"]) for f in said.json["findings"]] == [
        (*where_of(where), problem),
    ]
    assert all(finding["hint"] for finding in said.json["findings"])


def where_of(text: str) -> tuple[str, int]:
    file, _, line = text.partition(":")
    return file, int(line)


def test_services_that_need_each_other_are_one_finding(stack: mlox.Stack, isolated: Path) -> None:
    text = (isolated / "services" / "base.yaml").read_text().replace("needs: {}", "needs: {above: {capability: app}}")
    (isolated / "services" / "base.yaml").write_text(text)
    stack.init()
    write(
        "services:\n"
        "  base: {service: base, version: '1', needs: {above: app}}\n"
        "  app: {service: app, version: '1', needs: {below: base}}\n"
    )
    assert [problem for _, problem in told()] == ["services need each other: base → app → base"]


def test_every_broken_service_is_named_and_what_needs_it_is_not_blamed(clean: mlox.Stack, isolated: Path) -> None:
    (isolated / "services" / "base.yaml").write_text("name: base\nversion: '1'\nsumary: a typo\n")
    assert [each.file for each in clean.check().findings if each.kind == "catalog"] == ["services/base.yaml"] * 2
    assert {each.about for each in clean.check().findings} == {"base"}


def test_a_file_that_mlox_s_own_service_hides_is_found(clean: mlox.Stack, isolated: Path) -> None:
    (isolated / "services" / "redis.yaml").write_text((isolated / "services" / "base.yaml").read_text())
    ((where, problem),) = told()
    assert where == "services/redis.yaml"
    assert "of its own" in problem
    assert clean.check("app").findings == ()


def test_packages_without_exact_versions(say: Say) -> None:
    say("init", "demo")
    say("add", "mlflow")
    ((where, problem),) = told()
    assert (where, problem.partition("mlflow[")[0]) == ("mlox.lock.yaml", "mlflow: no exact versions for ")
    assert say("up", "mlflow").code == 0
    assert told() == []
    Path("mlox.lock.yaml").write_text("packages: 3\n")
    assert told()[0][0] == "mlox.lock.yaml"


def test_an_image_without_a_digest_and_no_engine_is_asked(clean: mlox.Stack) -> None:
    write("services:\n  redis: {service: redis, version: '7', server: docker}\n")
    assert told() == [("mlox.lock.yaml", "redis: no digest for redis:7")]
    clean.workspace.lock.put_image("redis:7", f"redis@sha256:{'0' * 64}")
    assert told() == []


def test_a_secret_that_somebody_has_to_set(clean: mlox.Stack, isolated: Path, say: Say) -> None:
    path = isolated / "services" / "base.yaml"
    path.write_text(path.read_text().replace("{password: {generate: 16}}", "{password: {help: from the vendor}}"))
    found = clean.check("base").findings
    assert [(each.kind, each.problem) for each in found] == [
        ("secrets", "base: the secret 'base.password' is not set"),
    ]
    assert found[0].hint == "Set it: mlox secrets set base.password."
    assert say("secrets", "set", "base.password", stdin="hunter22-and-more").code == 0
    assert clean.check("base").findings == ()


def test_a_component_whose_file_is_gone(clean: mlox.Stack, isolated: Path) -> None:
    offer(isolated, template_files())
    components = Components(clean)
    components.add(components.template("greeting"))
    record = components.added()["greeting"]
    assert told() == []
    words = next(path for path in record.files if path.endswith("words.py"))
    (isolated / words).write_text("# edited: it is mine\n")
    assert told() == []
    (isolated / words).unlink()
    assert told() == [(words, f"{record.name}: {words} is gone")]
    (isolated / ".mlox" / "components" / f"{record.name}.json").write_text("{")
    assert [where for where, _ in told()] == [f".mlox/components/{record.name}.json"]


@pytest.mark.usefixtures("clean")
def test_a_secret_set_on_two_branches(isolated: Path) -> None:
    mlox.secrets.set("TOKEN", Secret("hunter22-of-ours"))
    (first,) = (isolated / ".mlox" / "secrets").rglob("*.age")
    aside = isolated / first.name
    first.rename(aside)
    mlox.secrets.set("TOKEN", Secret("hunter22-of-theirs"))
    aside.rename(first)
    ((where, problem),) = told()
    assert (where, problem.partition(":")[0]) == (
        ".mlox/secrets",
        "the secret TOKEN was set on two branches, and nobody has chosen",
    )


@pytest.mark.usefixtures("clean")
def test_recipients_who_are_nobody_or_cannot_read(isolated: Path) -> None:
    mlox.secrets.set("TOKEN", Secret("hunter22-of-ours"))
    assert told() == []
    recipients = isolated / ".mlox" / "recipients"
    before = recipients.read_text()
    other = "# eve\nage1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"
    recipients.write_text(before + other)
    ((_, problem),) = told()  # and not that she should be let in
    assert "are not those that you agreed to: eve " in problem
    sharing = mlox.Stack().surroundings().vault.sharing
    sharing.agree(sharing.recipients())
    assert told() == [(".mlox/secrets", "the secret TOKEN cannot be read by: eve")]
    recipients.write_text(before + "age1nobody\n")
    assert [where for where, _ in told()] == [f".mlox/recipients:{len(before.splitlines()) + 1}"]


def test_what_git_is_not_told(clean: mlox.Stack, isolated: Path) -> None:
    (isolated / ".mlox" / ".gitignore").write_text("local/\n")
    (isolated / ".mlox" / ".gitattributes").unlink()
    assert told() == [
        (".mlox/.gitignore", ".mlox/.gitignore lacks: .*.tmp, .deleted-*"),
        (".mlox/.gitattributes", ".mlox/.gitattributes is missing"),
    ]
    assert clean.check().code == 0


def test_exit_codes_and_names(clean: mlox.Stack, say: Say, isolated: Path) -> None:
    (isolated / ".mlox" / ".gitignore").unlink()
    assert say("check").code == 0
    assert say("check", "--exit-code").code == 4
    assert say("check", "base", "--exit-code").code == 0
    assert "unknown service or component 'bas'" in say("check", "bas").err
    assert clean.check().code == 0


def test_without_a_workspace_it_says_how_to_make_one(say: Say) -> None:
    said = say("check")
    assert (said.code, said.err.splitlines()[1]) == (1, "hint: Make this folder a workspace: mlox init.")


def test_a_profile_is_laid_over(clean: mlox.Stack, say: Say) -> None:
    write("services:\n  base: {service: base, version: '1'}\nprofiles:\n  far:\n    servers: {base: gpu}\n")
    assert told() == [("mlox.yaml:6", "unknown server 'gpu'")]
    assert ("mlox.yaml:4", "base: unknown server 'gpu'") in [
        (f"{f['file']}:{f['line']}", f["problem"]) for f in say("check", "--profile", "far", "--json").json["findings"]
    ]
    assert clean.id == "churn-00aa"
