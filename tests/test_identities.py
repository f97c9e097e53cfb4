"""Which keys open the vault: SSH keys, ``MLOX_IDENTITY``, and copies that a passphrase protects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyrage
import pytest

from mlox.errors import IdentityError, SecretError
from mlox.secret import Secret
from mlox.secret_stores.vault import VaultStore


def vault(home: Path, given: str | None = None, user: str = "anna") -> VaultStore:
    return VaultStore(home / ".mlox", home / user / "identity", home / user / "agreed", given=given)


def ssh_key(folder: Path, kind: str = "ed25519", *options: str, passphrase: str = "") -> Path:
    """A key that ``ssh-keygen`` makes."""
    path = folder / f"id_{kind}"
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "anna@example.org", "-f", str(path), *options]
    subprocess.run(command, check=True, capture_output=True)
    return path


# SSH keys


def test_an_ssh_key_seals_and_opens_where_it_is(tmp_path: Path) -> None:
    path = ssh_key(tmp_path)
    public = vault(tmp_path).sharing.load_ssh_key(path)
    assert path.with_suffix(".pub").read_text().startswith(f"{public} ")
    vault(tmp_path).set("TOKEN", Secret("hunter22"))
    (file,) = (tmp_path / ".mlox" / "secrets").rglob("*.age")
    assert b"-> ssh-ed25519 " in file.read_bytes()
    assert vault(tmp_path).get("TOKEN").reveal() == "hunter22"
    assert not (tmp_path / "anna" / "identity").exists()
    assert vault(tmp_path, given=str(path), user="bob").get("TOKEN").reveal() == "hunter22"
    assert vault(tmp_path, given=path.read_text(), user="carl").get("TOKEN").reveal() == "hunter22"
    path.unlink()
    with pytest.raises(IdentityError, match="there is no identity at"):
        vault(tmp_path).get("TOKEN")


def test_an_ssh_key_beside_an_identity_opens_what_both_were_given(tmp_path: Path) -> None:
    vault(tmp_path).set("OLD", Secret("old"))
    public = vault(tmp_path).sharing.load_ssh_key(ssh_key(tmp_path))
    assert vault(tmp_path).get("OLD").reveal() == "old"
    sharing = vault(tmp_path).sharing
    sharing.share(sharing.find(f"{public} laptop"))
    assert [each.name for each in sharing.recipients()][1:] == ["laptop"]
    (tmp_path / "anna" / "identity").unlink()
    assert vault(tmp_path).get("OLD").reveal() == "old"


REFUSED = {
    "an encrypted one": (("ed25519", "a passphrase"), "an SSH key that a passphrase encrypts"),
    "RSA": (("rsa", ""), "it is an RSA key, and only ed25519 SSH keys can be used"),
    "ECDSA": (("ecdsa", ""), "it is an ecdsa-sha2-nistp256 key, and only ed25519"),
    "encrypted RSA": (("rsa", "a passphrase"), "it is an RSA key"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_other_ssh_keys_are_refused_with_the_reason(tmp_path: Path, what: str) -> None:
    (kind, passphrase), reason = REFUSED[what]
    path = ssh_key(tmp_path, kind, passphrase=passphrase)
    for act in (
        lambda: vault(tmp_path).sharing.load_ssh_key(path),
        lambda: vault(tmp_path, given=str(path)).set("TOKEN", Secret("value")),
    ):
        with pytest.raises(IdentityError, match=reason) as error:
            act()
        assert "ssh-keygen -t ed25519" in str(error.value.hint)
    assert not (tmp_path / "anna").exists()
    public = path.with_suffix(".pub").read_text().replace("ssh-ed25519 AAAA", "ssh-ed25519 BBBB")
    with pytest.raises(SecretError, match="cannot be a recipient: (a public key of the kind|not a whole)") as refused:
        vault(tmp_path).sharing.find(public)
    assert refused.value.hint == "Copy the whole key."


@pytest.mark.parametrize("form", ["PEM", "PKCS8"])
def test_other_forms_and_broken_ones_are_refused(tmp_path: Path, form: str) -> None:
    path = ssh_key(tmp_path, "rsa", "-m", form)
    with pytest.raises(IdentityError, match="in another form"):
        vault(tmp_path).sharing.load_ssh_key(path)
    whole = ssh_key(tmp_path).read_text()
    for number, broken in enumerate(
        (whole[:100], whole.replace("b3BlbnNzaC1", "b3BlbnNzaC2"), whole[:120] + whole[200:])
    ):
        cut = tmp_path / f"broken-{number}"
        cut.write_text(broken)
        cut.chmod(0o600)
        with pytest.raises(IdentityError, match="it is (cut off|damaged)"):
            vault(tmp_path).sharing.load_ssh_key(cut)


def test_an_ssh_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = ssh_key(tmp_path)
    path.chmod(0o644)
    with pytest.raises(IdentityError, match="open to other users") as error:
        vault(tmp_path).sharing.load_ssh_key(path)
    assert error.value.hint == f"Close it with: chmod 600 {path}"


# MLOX_IDENTITY


def test_a_key_in_the_variable_opens_and_writes_and_makes_no_file(tmp_path: Path) -> None:
    vault(tmp_path).set("TOKEN", Secret("hunter22"))
    key = pyrage.x25519.Identity.generate()
    sharing = vault(tmp_path).sharing
    sharing.share(sharing.find(str(key.to_public()), "ci"))
    ci = vault(tmp_path, given=f" {key}\n", user="ci")
    assert ci.get("TOKEN").reveal() == "hunter22"
    ci.sharing.agree(ci.sharing.recipients())
    ci.set("TOKEN", Secret("new"))
    assert vault(tmp_path).get("TOKEN").reveal() == "new"
    assert [path.name for path in (tmp_path / "ci").iterdir()] == ["agreed"]
    path = tmp_path / "key.txt"
    path.write_text(f"# of ci\n{key}\n")
    path.chmod(0o600)
    assert vault(tmp_path, given=str(path), user="other").get("TOKEN").reveal() == "new"


@pytest.mark.parametrize("cut", [slice(None, 40), slice(3, None), slice(None, None)])
def test_a_broken_key_in_the_variable_is_told_and_not_shown(tmp_path: Path, cut: slice) -> None:
    vault(tmp_path).set("TOKEN", Secret("hunter22"))
    key = str(pyrage.x25519.Identity.generate())
    value = key[cut] if cut != slice(None, None) else key.replace("AGE-SECRET", '"AGE-SECRET')
    with pytest.raises(IdentityError, match="MLOX_IDENTITY holds no key that can be used") as error:
        vault(tmp_path, given=value, user="ci").get("TOKEN")
    assert key[20:38] not in f"{error.value} {error.value.hint} {error.value.__context__}"
    assert error.value.__context__ is None


def test_the_variable_alone_counts(tmp_path: Path) -> None:
    vault(tmp_path).set("TOKEN", Secret("hunter22"))
    other = str(pyrage.x25519.Identity.generate())
    with pytest.raises(IdentityError, match="was not sealed for you, but for"):
        vault(tmp_path, given=other).get("TOKEN")
    with pytest.raises(IdentityError, match="there is no identity at"):
        vault(tmp_path, given=str(tmp_path / "nowhere")).get("TOKEN")
    assert vault(tmp_path, given="").get("TOKEN").reveal() == "hunter22"


# Copies


@pytest.mark.slow
def test_a_saved_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    vault(tmp_path).set("TOKEN", Secret("hunter22"))
    copy = tmp_path / "copy.age"
    vault(tmp_path).sharing.save_key(copy, Secret("correct horse"))
    assert copy.stat().st_mode & 0o777 == 0o600
    assert b"AGE-SECRET-KEY" not in copy.read_bytes()
    assert b"AGE-SECRET-KEY-1" in pyrage.passphrase.decrypt(copy.read_bytes(), "correct horse")
    new = vault(tmp_path, user="new")
    with pytest.raises(IdentityError, match="the passphrase does not open") as error:
        new.sharing.load_key(copy, lambda: Secret("wrong horse"))
    assert error.value.hint
    assert not (tmp_path / "new").exists()
    assert len(new.sharing.load_key(copy, lambda: Secret("correct horse"))) == 1
    assert vault(tmp_path, user="new").get("TOKEN").reveal() == "hunter22"
    assert new.sharing.load_key(copy, lambda: Secret("correct horse")) == ()


@pytest.mark.parametrize("busy", [1, 99])
def test_a_machine_that_is_busy_for_a_moment_tries_the_passphrase_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: int
) -> None:
    key, left = str(pyrage.x25519.Identity.generate()), [busy]

    def judged_by_the_moment(_: bytes, __: str) -> bytes:
        left[0] -= 1
        if left[0] >= 0:
            raise pyrage.DecryptError("Excessive work parameter for passphrase.")
        return key.encode()

    monkeypatch.setattr(pyrage.passphrase, "decrypt", judged_by_the_moment)
    monkeypatch.setattr("time.sleep", lambda _: None)
    (tmp_path / "copy.age").write_bytes(b"age-encryption.org/v1\n")
    sharing = vault(tmp_path).sharing
    if busy > 10:
        with pytest.raises(SecretError, match="too slow now"):
            sharing.load_key(tmp_path / "copy.age", lambda: Secret("correct horse"))
    else:
        assert len(sharing.load_key(tmp_path / "copy.age", lambda: Secret("correct horse"))) == 1


@pytest.mark.slow
def test_a_loaded_key_stands_beside_those_that_are_there(tmp_path: Path) -> None:
    vault(tmp_path).set("TOKEN", Secret("hunter22"))
    copy = tmp_path / "copy.age"
    vault(tmp_path).sharing.save_key(copy, Secret("correct horse"))
    other = VaultStore(tmp_path / "other", tmp_path / "new" / "identity", tmp_path / "new" / "other-agreed")
    other.set("MINE", Secret("mine"))
    (public,) = vault(tmp_path, user="new").sharing.load_key(copy, lambda: Secret("correct horse"))
    assert public in (tmp_path / ".mlox" / "recipients").read_text()
    assert vault(tmp_path, user="new").get("TOKEN").reveal() == "hunter22"
    assert other.get("MINE").reveal() == "mine"
    assert (tmp_path / "new" / "identity").stat().st_mode & 0o777 == 0o600


def test_an_identity_file_of_age_is_loaded_without_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    path.write_text(f"# created: today\n{pyrage.x25519.Identity.generate()}\n")

    def nobody() -> Secret:
        raise AssertionError("asked for a passphrase")

    assert len(vault(tmp_path).sharing.load_key(path, nobody)) == 1
    assert vault(tmp_path).set("TOKEN", Secret("value"))


@pytest.mark.slow
def test_what_cannot_be_saved_or_loaded_is_told(tmp_path: Path) -> None:
    anna = vault(tmp_path).sharing
    path, phrase = tmp_path / "copy.age", Secret("correct horse")
    with pytest.raises(IdentityError, match="there is no identity"):
        anna.save_key(path, phrase)
    vault(tmp_path).set("TOKEN", Secret("value"))
    with pytest.raises(SecretError, match="the passphrase is empty"):
        anna.save_key(path, Secret(""))
    path.write_text("somebody's")
    with pytest.raises(SecretError, match="exists; it was left as it is"):
        anna.save_key(path, phrase)
    assert path.read_text() == "somebody's"
    with pytest.raises(IdentityError, match="holds no identity: line 1"):
        anna.load_key(path, lambda: phrase)
    with pytest.raises(SecretError, match="cannot read"):
        anna.load_key(tmp_path / "nowhere", lambda: phrase)
    with pytest.raises(IdentityError, match="is an SSH key") as error:
        anna.load_key(ssh_key(tmp_path), lambda: phrase)
    assert "--ssh" in str(error.value.hint)
    with pytest.raises(IdentityError, match="not one that mlox keeps: it comes from MLOX_IDENTITY"):
        vault(tmp_path, given=str(pyrage.x25519.Identity.generate())).sharing.save_key(tmp_path / "x", phrase)
