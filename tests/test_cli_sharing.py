"""What the shell says of a vault that people share, and of what stands before and behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

import mlox
from mlox.errors import RecipientsChangedError
from tests.shell_stage import PASSWORD, Say, files
from tests.test_cli_secrets import typed
from tests.vault_stage import git

pytestmark = pytest.mark.usefixtures("no_reports")


def a_key() -> str:
    return str(pyrage.x25519.Identity.generate().to_public())


def as_bob(folder: Path, home: Path, *words: str, stdin: str = "") -> tuple[int, str, str]:
    """A colleague's shell, on another machine, in the same repository."""
    done = subprocess.run(
        [sys.executable, "-m", "mlox", *words],
        cwd=folder,
        env={**os.environ, "MLOX_DATA_HOME": str(home)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_secret_goes_into_the_repository_sealed(demo: Say, isolated: Path) -> None:
    assert demo("secrets", "set", "TOKEN", stdin=PASSWORD).out.splitlines()[0] == "TOKEN set, readable by: you"
    assert demo("--json", "secrets", "get", "TOKEN").json["store"] == "vault"
    git(isolated, "init", "-q")
    git(isolated, "add", "--all")
    staged = git(isolated, "ls-files").splitlines()
    assert [name for name in staged if name.startswith(".mlox/secrets/+token/")]
    assert not [name for name, content in files(isolated).items() if PASSWORD.encode() in content]
    assert "secrets: 1, hidden in outputs" in demo("status").out.splitlines()


def test_asking_letting_in_and_reading(demo: Say, isolated: Path, tmp_path: Path) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    code, out, err = as_bob(isolated, tmp_path, "secrets", "get", "TOKEN")
    assert (code, out) == (1, "")
    assert "mlox secrets join" in err
    told = as_bob(isolated, tmp_path, "secrets", "join", "--name", "bob", "--dry-run")
    assert "would write .mlox/requests/bob" in told[1]
    assert not (isolated / ".mlox" / "requests").exists()
    assert not (tmp_path / "identity").exists()
    code, out, _ = as_bob(isolated, tmp_path, "secrets", "join", "--name", "bob")
    assert out.splitlines()[:2] == [
        "bob asks to read the secrets of demo: commit .mlox/requests/bob",
        "then somebody who can read them runs: mlox secrets share bob",
    ]
    assert demo("--json", "secrets", "share").json["requests"][0]["name"] == "bob"
    assert "let them in: mlox secrets share bob" in demo("secrets", "share").out
    assert "bob would read: TOKEN" in demo("secrets", "share", "bob", "--dry-run").out
    refused = demo("secrets", "share", "bob")
    assert (refused.code, "There is nobody to ask here" in refused.err) == (2, True)
    assert as_bob(isolated, tmp_path, "secrets", "get", "TOKEN", "--reveal")[0] == 1
    shared = demo("--json", "secrets", "share", "bob", "-y").json
    assert (shared["sealed"], shared["shared"]) == (["TOKEN"], True)
    assert as_bob(isolated, tmp_path, "secrets", "get", "TOKEN", "--reveal")[:2] == (0, f"{PASSWORD}\n")
    assert demo("secrets", "set", "OTHER", "--generate", "20").out.splitlines()[0] == "OTHER set, readable by: you, bob"
    would = demo("secrets", "unshare", "bob", "--dry-run").out.splitlines()
    assert would[:3] == [
        "bob would be no recipient any more",
        "bob could read, and may have kept: OTHER, TOKEN",
        "change these where they are used, then set them anew: OTHER, TOKEN",
    ]
    assert demo("--json", "secrets", "unshare", "bob", "-y").json["to_change"] == ["OTHER", "TOKEN"]
    demo("secrets", "set", "TOKEN", stdin="another")
    assert as_bob(isolated, tmp_path, "secrets", "get", "TOKEN")[0] == 1
    assert {row["name"]: row["readers"] for row in demo("--json", "secrets", "list").json["secrets"]} == {
        "OTHER": ["you", "bob"],
        "TOKEN": ["you"],
    }


def test_a_hostile_addition_is_refused_where_nobody_can_be_asked_also_with_yes(demo: Say, isolated: Path) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    recipients = isolated / ".mlox" / "recipients"
    recipients.write_text(f"{recipients.read_text()}# mallory\n{a_key()}\n")
    before = files(isolated)
    for words in (("secrets", "set", "TOKEN", "-y"), ("secrets", "share", a_key(), "--name", "carl", "-y")):
        said = demo("--json", *words, stdin="new-value")
        assert said.code == 1
        assert said.error["type"] == "RecipientsChangedError"
        assert "mallory (age1" in said.error["problem"]
        assert "mlox secrets share mallory" in said.error["hint"]
    with pytest.raises(RecipientsChangedError):
        mlox.secrets.set("TOKEN", "new-value")
    assert files(isolated) == before
    assert demo("secrets", "share", "mallory", "-y").code == 0
    assert "readable by: you, mallory" in demo("secrets", "set", "TOKEN", stdin="new-value").out


def test_on_a_terminal_a_new_recipient_is_agreed_to_by_name_alone(demo: Say, isolated: Path) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    recipients, key = isolated / ".mlox" / "recipients", a_key()
    recipients.write_text(f"{recipients.read_text()}# mallory\n{key}\n")
    for keys in (b"yes\n", b"\n"):
        code, shown = typed(isolated, "-y secrets set TOKEN --generate 20", keys, question=b"to agree:")
        assert code == 2
        assert f"mallory with the key {key} was added to .mlox/recipients" in shown
        assert "nothing was done" in shown
    code, shown = typed(isolated, "secrets set TOKEN --generate 20", b"mallory\n", question=b"to agree:")
    assert code == 0
    assert "TOKEN set, readable by: you, mallory" in shown
    assert demo("secrets", "set", "TOKEN", stdin="later").code == 0


def test_two_values_are_reported_by_list_get_and_set(demo: Say, isolated: Path) -> None:
    git(isolated, "init", "-q", "-b", "main")
    demo("secrets", "set", "TOKEN", "--generate", "20")
    versions = []
    git(isolated, "add", "--all")
    git(isolated, "commit", "-m", "first")
    git(isolated, "branch", "other")
    for branch in ("main", "other"):
        git(isolated, "checkout", "-q", branch)
        versions.append(demo("--json", "secrets", "set", "TOKEN", stdin=f"of {branch}").json["version"])
        git(isolated, "add", "--all")
        git(isolated, "commit", "-m", branch)
    git(isolated, "merge", "-q", "--no-edit", "main")
    said = demo("--json", "secrets", "get", "TOKEN")
    assert (said.code, said.error["type"]) == (1, "SecretConflictError")
    assert all(version in said.error["problem"] for version in versions)
    assert demo("secrets", "get", "TOKEN", "--version", versions[0], "--reveal").out == "of main\n"
    assert (
        demo("secrets", "list").out.splitlines()[-1] == "TOKEN was set on two branches; choose: mlox secrets get TOKEN"
    )
    assert set(demo("--json", "secrets", "list").json["secrets"][0]["heads"]) == set(versions)
    done = demo("secrets", "set", "TOKEN", stdin="chosen")
    assert "it replaces 2 values that branches had set" in done.out
    assert demo("secrets", "get", "TOKEN", "--reveal").out == "chosen\n"


def test_each_store_is_named_and_the_first_one_wins(demo: Say, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo("secrets", "set", "TOKEN", "--store", "user", stdin="of user")
    assert demo("secrets", "get", "TOKEN", "--reveal").out == "of user\n"
    demo("secrets", "set", "TOKEN", stdin="of vault")
    (isolated / ".env").write_text("TOKEN='of file'\n")
    assert (
        "but .env comes before vault: its TOKEN is what is read"
        in demo("secrets", "set", "TOKEN", stdin="of vault").out
    )
    monkeypatch.setenv("MLOX_SECRET_TOKEN", "of env")
    assert mlox.secrets.get("TOKEN").reveal() == "of env"
    for store in ("env", ".env", "vault", "user"):
        said = demo("--json", "secrets", "get", "TOKEN", "--store", store, "--reveal").json
        assert (said["store"], said["value"].replace("file", ".env")) == (store, f"of {store}")
    assert [row["store"] for row in demo("--json", "secrets", "list").json["secrets"]] == [
        "env",
        ".env",
        "vault",
        "user",
    ]
    assert demo("secrets", "remove", "TOKEN", "-y").code == 2
    for store in ("vault", "user"):
        assert demo("--json", "secrets", "remove", "TOKEN", "-y", "--store", store).json["store"] == store
    assert demo("secrets", "remove", "TOKEN", "-y").code == 2
    (isolated / ".env").write_text("TOKEN='of file\n")
    monkeypatch.delenv("MLOX_SECRET_TOKEN")
    broken = demo("secrets", "get", "TOKEN")
    assert broken.err.splitlines()[0] == f"error: .env: {isolated}/.env:1: a quotation mark is not closed"
    assert "but it cannot be read back: .env: " in demo("secrets", "set", "TOKEN", stdin="value").out


def test_secrets_of_a_service_on_this_machine_stay_with_the_user(demo: Say, isolated: Path) -> None:
    assert demo("up", "redis").code == 0
    assert demo("--json", "secrets", "get", "redis.password").json["store"] == "user"
    assert demo("--json", "secrets", "set", "mlflow.licence", stdin="bought").json["store"] == "user"
    joining = demo("--json", "secrets", "set", "postgres.password", stdin="chosen by a person")
    assert joining.json["store"] == "user", "a service that has not joined yet"
    assert not (isolated / ".mlox" / "secrets").exists()


@pytest.mark.slow
def test_a_key_is_saved_and_loaded_with_a_passphrase_from_standard_input(
    demo: Say, isolated: Path, tmp_path: Path
) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    copy = tmp_path / "copy.age"
    assert demo("secrets", "key", "save", str(copy), "--dry-run").code == 0
    assert not copy.exists()
    assert demo("secrets", "key", "save", str(copy), stdin="").code == 1
    said = demo("secrets", "key", "save", str(copy), stdin="correct horse\n")
    assert said.out.splitlines()[0] == f"saved your key to {copy}"
    code, _, err = as_bob(isolated, tmp_path / "new", "secrets", "key", "load", str(copy), stdin="wrong")
    assert (code, err.splitlines()[0]) == (1, f"error: the passphrase does not open {copy}")
    code, out, _ = as_bob(
        isolated, tmp_path / "new", "--json", "secrets", "key", "load", str(copy), stdin="correct horse"
    )
    assert (code, len(json.loads(out)["keys"])) == (0, 1)
    assert as_bob(isolated, tmp_path / "new", "secrets", "get", "TOKEN", "--reveal")[1] == f"{PASSWORD}\n"
    assert "AGE-SECRET-KEY" not in said.out + said.err + out


def test_a_passphrase_is_asked_for_twice_on_a_terminal(isolated: Path, demo: Say, tmp_path: Path) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    code, shown = typed(isolated, f"secrets key save {tmp_path}/copy.age", b"correct horse\n", b"wrong horse\n")
    assert code == 2
    assert "the two passphrases differ; nothing was written" in shown
    assert "horse" not in shown
    assert list(tmp_path.iterdir()) == []


def test_behind_an_exclamation_mark_a_passphrase_is_not_asked_for(demo: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    said = demo("secrets", "key", "save", "copy.age", stdin="correct horse")
    assert (said.code, Path("copy.age").exists()) == (2, False)
    assert "the passphrase cannot be asked for" in said.err


def test_words_that_are_not_whole(demo: Say) -> None:
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    for words, said in (
        ("secrets key", "'secrets key' needs to know what to do"),
        ("secrets key lod x", "unknown verb 'secrets key lod'"),
        ("secrets unshare", "missing: RECIPIENT"),
        ("secrets share nobody", "unknown recipient 'nobody'"),
        ("secrets share age1nonsense", "'age1nonsense' cannot be a recipient: not a whole age public key"),
        ("secrets set TOKEN --store nowhere", "unknown secret store 'nowhere'"),
    ):
        result = demo(*words.split(), stdin="value")
        assert result.code in (1, 2)
        assert said in result.err.splitlines()[0]
        assert result.err.splitlines()[-1].startswith("hint: ")


@pytest.mark.parametrize("words", ["secrets share {}", "secrets unshare {}", "secrets share {} -y --json"])
def test_a_private_key_that_is_typed_is_not_told_again(demo: Say, words: str) -> None:
    private = str(pyrage.x25519.Identity.generate())
    demo("secrets", "set", "TOKEN", stdin=PASSWORD)
    for key in (private, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk"):
        said = demo(*(key if word == "{}" else word for word in words.split()))
        assert said.code == 1
        assert "that is a private key" in said.err
        assert key[-8:] not in said.err + said.out
