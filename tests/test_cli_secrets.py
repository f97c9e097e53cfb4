"""What the shell shows of values that are secret: nothing unasked, and a broken identity is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlox
from mlox.cli import main
from tests.shell_stage import PASSWORD, Say, files

pytestmark = pytest.mark.usefixtures("no_reports")


# Secrets


def test_a_secret_is_never_echoed(demo: Say, isolated: Path, data_home: Path) -> None:
    said = [
        demo("secrets", "set", "TOKEN", stdin=f"{PASSWORD}\n"),
        demo("--json", "secrets", "set", "TOKEN", stdin=PASSWORD),
        demo("secrets", "get", "TOKEN"),
        demo("--json", "secrets", "get", "TOKEN"),
        demo("secrets", "list"),
        demo("--json", "secrets", "list"),
        demo("status"),
        demo("doctor"),
    ]
    assert all(each.code == 0 for each in said[:-1])
    assert not [each for each in said if PASSWORD in each.out + each.err]
    assert not [name for name, content in files(isolated, data_home).items() if PASSWORD.encode() in content]
    assert mlox.secrets.get("TOKEN").reveal() == PASSWORD
    (row,) = said[5].json["secrets"]
    assert set(row) >= {"name", "version", "store", "updated", "readers"}
    assert said[3].json["version"] == row["version"] == said[1].json["version"]


def test_older_versions_of_a_secret(demo: Say) -> None:
    first = demo("--json", "secrets", "set", "TOKEN", stdin="one-of-them").json["version"]
    demo("secrets", "set", "TOKEN", "--generate", "24")
    older = demo("--json", "secrets", "get", "TOKEN", "--version", first, "--reveal").json
    newest = demo("--json", "secrets", "get", "TOKEN", "--reveal").json
    assert older["value"] == "one-of-them"
    assert len(newest["value"]) == 24
    assert older["version"] == first != newest["version"]
    assert demo("secrets", "remove", "TOKEN", "-y").code == 0
    assert demo("--json", "secrets", "list").json == {"secrets": []}


def test_a_value_on_the_line_is_refused_and_not_repeated(demo: Say) -> None:
    said = demo("secrets", "set", "TOKEN", PASSWORD)
    assert said.code == 2
    assert PASSWORD not in said.err
    assert "TOKEN" not in demo("secrets", "list").out


TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def typed(folder: Path, words: str, *keys: bytes, question: bytes = b"to go on:") -> tuple[int, str]:
    """How ``mlox`` ends on a terminal where these keys are pressed at its questions, and what the terminal shows."""
    command = [sys.executable, "-c", TERMINAL, sys.executable, "-m", "mlox", *words.split()]
    shown = b""
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for answer in keys:
            asked = len(shown)
            while not shown[asked:].rstrip().endswith((b"(not shown):", question)):
                block = os.read(process.stdout.fileno(), 1024)
                assert block, shown
                shown += block
            os.write(process.stdin.fileno(), answer)
        shown += process.stdout.read()
    return process.returncode, shown.decode()


def test_on_a_terminal_a_value_is_asked_for_and_not_shown(isolated: Path) -> None:
    assert main(["init", "demo"]) == 0
    code, shown = typed(isolated, "secrets set TOKEN", f"{PASSWORD}\n".encode())
    assert code == 0
    assert "TOKEN (not shown): " in shown
    assert PASSWORD not in shown
    assert mlox.secrets.get("TOKEN").reveal() == PASSWORD
    for keys, expected in ((b"\x04", 130), (b"\x03", 130), (b"\n", 1)):
        code, shown = typed(isolated, "secrets set OTHER", keys)
        assert code == expected
        assert "error: " in shown
        assert "Traceback" not in shown
        assert "defect" not in shown
    for keys, expected in ((b"no\n", 2), (b"\x04", 2), (b"\x03", 130)):
        code, shown = typed(isolated, "secrets remove TOKEN", keys)
        assert code == expected
        assert mlox.secrets.names() == ("TOKEN",)
    assert typed(isolated, "secrets remove TOKEN", b"yes\n")[0] == 0
    assert mlox.secrets.names() == ()


@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape"])
def test_a_value_that_is_no_text(isolated: Path, encoding: str) -> None:
    assert main(["init", "demo"]) == 0
    command = [sys.executable, "-m", "mlox", "secrets", "set", "TOKEN"]
    variables = {**os.environ, "PYTHONIOENCODING": encoding}
    value = b"\xff\xfehunter22"
    done = subprocess.run(command, input=value, capture_output=True, check=False, cwd=isolated, env=variables)
    assert done.returncode in (1, 2)
    assert b"error: the value for" in done.stderr
    assert b"base64" in done.stderr
    assert b"hunter22" not in done.stderr


def test_behind_an_exclamation_mark_nothing_is_asked_or_shown(demo: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    said = demo("secrets", "set", "OTHER", stdin="typed by nobody")
    assert said.code == 2
    assert "%mlox secrets set OTHER" in said.err
    revealed = demo("secrets", "get", "TOKEN", "--reveal")
    assert revealed.code == 2
    assert PASSWORD not in revealed.out + revealed.err
    assert demo("secrets", "set", "OTHER", "--generate", "32").code == 0


@pytest.mark.parametrize(
    "content", [b"", b"AGE-SECRET-KEY-1NONSENSE\n", b"# only a comment\n", b"\xff\xfe", None, "folder", "open"]
)
def test_a_broken_identity_is_named_and_kept(
    demo: Say, content: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOX_DATA_HOME", str(tmp_path / "data"))
    assert demo("secrets", "set", "TOKEN", stdin=PASSWORD).code == 0
    identity = tmp_path / "data" / "identity"
    good = identity.read_bytes()
    identity.chmod(0o644 if content == "open" else 0o600)
    if content != "open":
        identity.unlink()
    if content == "folder":
        identity.mkdir()
    elif isinstance(content, bytes):
        identity.write_bytes(content)
        identity.chmod(0o600)
    before = files(tmp_path)
    for words in ("secrets get TOKEN", "secrets set OTHER", "secrets remove TOKEN -y", "up redis"):
        said = demo(*words.split(), stdin="value")
        assert said.code == 1
        assert str(identity) in said.err.splitlines()[0]
        assert said.err.splitlines()[-1].startswith("hint: ")
    assert demo("doctor").code == 1
    after = files(tmp_path)
    assert {name: after.get(name) for name in before} == before
    if content in ("folder", "open"):
        return
    identity.write_bytes(good)
    identity.chmod(0o600)
    assert demo("secrets", "get", "TOKEN", "--reveal").out == f"{PASSWORD}\n"
