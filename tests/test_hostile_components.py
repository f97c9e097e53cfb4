"""Components that mean harm, by what their manifest says or what their code is: refused, and nothing is written."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.component_stage import WORDS, Shop, template_files
from tests.hostile_stage import KINDS, evil, listed, refused, spread
from tests.shell_stage import Say

CODE = "src/project/greeting"
MANIFEST = "component.yaml"


def with_manifest(old: str, new: str) -> dict[str, bytes]:
    files = template_files()
    manifest = files[MANIFEST].decode()
    assert old in manifest
    return {**files, MANIFEST: manifest.replace(old, new).encode()}


MANIFESTS = {
    "a file above": ("files: [__init__.py, words.py]", "files: [__init__.py, ../../words.py]"),
    "an absolute file": ("files: [__init__.py, words.py]", "files: [__init__.py, /etc/passwd]"),
    "a test above": ("tests: [test_greeting.py]", "tests: [../../../test_greeting.py]"),
    "a device": ("files: [__init__.py, words.py]", "files: [__init__.py, words.py, nul.txt]"),
    "a clash": ("files: [__init__.py, words.py]", "files: [__init__.py, words.py, WORDS.py]"),
    "a file and a folder": ("files: [__init__.py, words.py]", "files: [__init__.py, words.py, words.py/x.py]"),
    "another name": ("name: greeting", "name: feature-store"),
    "a name that is a path": ("name: greeting", "name: ../greeting"),
    "a version of letters": ('version: "1.0"', 'version: "latest"'),
    "a package above": ("package: greeting", "package: ../x"),
    "a package that is a word of Python": ("package: greeting", "package: import"),
    "an address to install from": (
        'dependencies: ["tabulate>=0.9"]',
        'dependencies: ["x @ https://example.org/x.whl"]',
    ),
    "a file to install from": ('dependencies: ["tabulate>=0.9"]', 'dependencies: ["x @ file:///tmp/x"]'),
    "an option of pip": ('dependencies: ["tabulate>=0.9"]', 'dependencies: ["--index-url=https://example.org"]'),
    "a requirement with a line end": ('dependencies: ["tabulate>=0.9"]', 'dependencies: ["x\\n--pre"]'),
    "a constant above": ("words.py:KEEP", "../words.py:KEEP"),
    "a constant that is code": ("words.py:KEEP", "words.py:KEEP;import os"),
    "an unknown key": ("imports: greet", "imports: greet\nrun: rm -rf ~"),
    **{
        f"settings for {path}": ("imports: greet", f"imports: greet\nsettings: [{path}]")
        for path in (
            "../config.yaml",
            "/etc/config.yaml",
            "a/../../b.yaml",
            ".git/config.toml",
            ".mlox/components/greeting.json",
            ".github/workflows/run.yml",
            ".env",
            ".env.local",
            "mlox.yaml",
            "MLOX.yaml",
            "uv.toml",
            "services/evil.yaml",
            "mlx-components/x/component.yaml",
            "setup.py",
            "Makefile",
            "con.yaml",
            "a.yaml, A.yaml",
            "not-there.yaml",
        )
    },
    "a tag that makes objects": ("imports: greet", "imports: !!python/object/apply:os.system [touch evil]"),
    "a bomb of aliases": (
        "summary: a greeting",
        "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdef")).replace("*a", "x"),
    ),
    "10,000 keys": ("summary: a greeting", "\n".join(f"k{n}: 1" for n in range(10_000))),
    "8,000 short keys": ("summary: a greeting", "\n".join(f"{n}: 1" for n in range(8_000))),
    "a depth of 1,000": ("summary: a greeting", f"summary: {'[' * 1000}{']' * 1000}"),
    "a summary of a megabyte": ("summary: a greeting", f"summary: {'x' * 1_000_000}"),
}


@pytest.mark.parametrize(("kind", "change"), spread(MANIFESTS))
def test_a_manifest_that_means_harm(shop: Shop, say: Say, kind: str, change: tuple[str, str]) -> None:
    files = with_manifest(*change)
    index = listed({path: text for path, text in files.items() if len(text) < 5_000_000}) if kind == "https" else None
    with evil(shop, kind, files, index=index):
        refused(shop, say)
    assert not (shop.root / "evil").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [b"", b"\xff", b"- a", b"name: greeting", b"\0"])
def test_a_manifest_that_is_none(shop: Shop, say: Say, kind: str, text: bytes) -> None:
    with evil(shop, kind, {**template_files(), MANIFEST: text}):
        refused(shop, say)


PIECES = {
    "a password": ("config.yaml", "db: {password: hunter22}\n"),
    "a password in a list": ("compose.yaml", "services: {db: {environment: [POSTGRES_PASSWORD=hunter22]}}\n"),
    "a login in an address": ("config.toml", "[db]\nurl = 'postgresql://me:hunter22@db/x'\n"),
    "a key by its shape": ("config.json", json.dumps({"note": "AKIA" + "IOSFODNN7EXAMPLE"})),
    "a value of a name": (".env.example", "API_TOKEN=hunter22\n"),
    "a secret of mlox": ("config.yaml", "a: ${secret:db.password}\n"),
    "what builds": ("pyproject.toml", "[build-system]\nbuild-backend = 'evil'\n"),
    "scripts": ("pyproject.toml", "[project.scripts]\nls = 'evil:run'\n"),
    "where is installed from": ("pyproject.toml", "[tool.uv]\nindex-url = 'https://example.org'\n"),
    "another spelling": ("PyProject.toml", "tool.UV.x = 1\n"),
    "no YAML": ("config.yaml", "a: [\n"),
    "two documents": ("config.yaml", "a: 1\n---\nb: 2\n"),
    "a key twice": ("config.json", '{"a": 1, "a": 2}'),
    "no settings": ("config.yaml", "# nothing\n"),
    "a list at the top": ("config.json", "[1]"),
    "tables in a list": ("config.toml", "[[a]]\nx = 1\n"),
    "a thousand brackets": ("config.json", "[" * 1000),
    "a tag": ("config.yaml", "a: !!python/object/apply:os.system [touch evil]\n"),
    "a secret in a comment": ("config.yaml", "# postgresql://me:hunter22@db\na: 1\n"),
}


@pytest.mark.parametrize("case", PIECES)
def test_settings_that_mean_harm(shop: Shop, say: Say, case: str) -> None:
    path, text = PIECES[case]
    files = with_manifest("imports: greet", f"imports: greet\nsettings: [{path}]")
    with evil(shop, "folder", {**files, f"settings/{path.removeprefix('.')}": text.encode()}):
        said = refused(shop, say, "-y")
        assert "hunter22" not in said.err
    assert not (shop.root / "evil").exists()


HARMLESS = {
    "config.yaml": "db: {password: '${DB_PASSWORD}', token: null, url: 'postgresql://me:${PW}@db/x', max_tokens: 5}\n",
    "config/app.toml": "[auth]\nsecret = ''\npassword_file = '/run/secrets/db'\napi_key = '${oc.env:KEY}'\n",
    ".env.example": "# no value\nAPI_TOKEN=\nLOG_LEVEL=info\n",
    "pyproject.toml": "[tool.mypy]\nstrict = true\n",
}


@pytest.mark.parametrize("path", HARMLESS)
def test_settings_that_name_secrets_are_taken(shop: Shop, say: Say, path: str) -> None:
    files = with_manifest("imports: greet", f"imports: greet\nsettings: [{path}]")
    with evil(shop, "folder", {**files, f"settings/{path.removeprefix('.')}": HARMLESS[path].encode()}):
        said = say("-C", str(shop.root), "add", "@evil/greeting")
        assert said.code == 0, said
    assert (shop.root / path).exists()


@pytest.mark.parametrize("path", ["linked.yaml", "inside/x.yaml"])
def test_settings_follow_no_link(shop: Shop, say: Say, path: str) -> None:
    outside = shop.root.parent / "outside"
    outside.mkdir()
    (outside / "x.yaml").write_text("a: 1\n")
    (shop.root / "linked.yaml").symlink_to(outside / "x.yaml")
    (shop.root / "inside").symlink_to(outside)
    files = with_manifest("imports: greet", f"imports: greet\nsettings: [{path}]")
    with evil(shop, "folder", {**files, f"settings/{path}": b"b: 2\n"}):
        refused(shop, say, "-y")
    assert (outside / "x.yaml").read_text() == "a: 1\n"


CODES = {
    "no Python": b"def (",
    "a zero": b"x = 1\0",
    "not UTF-8": b"x = '\xff'",
    "brackets": b"x = " + b"(" * 5000,
    "signs": b"x = " + b"-" * 50_000 + b"1",
    "dots": b"x = a" + b".b" * 50_000,
    "sums": b"x = " + b"+".join([b"1"] * 30_000),
    "digits": b"x = " + b"1" * 5000,
}


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_code_that_no_parser_survives(shop: Shop, say: Say, code: bytes) -> None:
    with evil(shop, "folder", {**template_files(), f"{CODE}/words.py": code}):
        assert "is no Python" in refused(shop, say).err


def test_code_that_is_deep_and_still_python_is_added(shop: Shop, say: Say) -> None:
    deep = WORDS + b"x = " + b"+".join([b"1"] * 500) + b"\n"
    with evil(shop, "folder", {**template_files(), f"{CODE}/words.py": deep}):
        assert say("-C", str(shop.root), "add", "@evil/greeting").code == 0
