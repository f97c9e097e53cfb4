"""Which keys a user has: those of ``MLOX_IDENTITY``, else a chosen SSH key and the identity of this machine."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyrage

from mlox.errors import IdentityError, SecretError
from mlox.journal import write_atomic
from mlox.secret import Secret
from mlox.secret_stores.identity import IdentityFile, Key, keys_in
from mlox.secret_stores.private_files import create_once, make_folder

VARIABLE = "MLOX_IDENTITY"
TRIES = 5
"""How often a passphrase is tried: age judges by the speed of the moment whether trying would take too long."""


class UserKeys:
    """The keys of the user of this machine.

    Args:
        path: the identity file, made where it is needed and missing.
        given: the value of ``MLOX_IDENTITY``: a secret key, or the path of a file that holds one; it replaces all
            others.
        used_elsewhere: whether other things are sealed for the identity, so that a lost one is not made anew.

    Example:
        >>> import tempfile
        >>> keys = UserKeys(Path(tempfile.mkdtemp()) / "identity")
        >>> keys.need()
        >>> [key.public[:4] for key in keys.all()]
        ['age1']
    """

    def __init__(
        self, path: Path, given: str | None = None, used_elsewhere: Callable[[], bool] = lambda: False
    ) -> None:
        self.file = IdentityFile(path)
        self._chosen = IdentityFile(path.with_name("identity-ssh"))
        self._given = (given or "").strip()
        self._used_elsewhere = used_elsewhere

    @property
    def exist(self) -> bool:
        """Whether there is something that should hold a key."""
        return bool(self._given) or self._chosen.exists() or self.file.exists()

    def all(self) -> list[Key]:
        """The keys, the preferred one first.

        Raises:
            IdentityError: there are none, or they are broken, or open to others.
        """
        if self._given:
            return _given(self._given)
        chosen = self._chosen.load() if self._chosen.exists() else []
        return [*chosen, *(self.file.load() if self.file.exists() or not chosen else [])]

    def need(self) -> None:
        """Make an identity where there is none; not where things are sealed for one, which is lost then.

        Raises:
            IdentityError: it is lost.
            SecretError: it cannot be written.
        """
        if self.exist:
            return
        if self._used_elsewhere():
            raise self.file.missing()
        self.file.make()

    def save(self, path: Path, passphrase: Secret) -> None:
        """Write the identity to ``path``, encrypted with a passphrase.

        Raises:
            IdentityError: there is none that mlox keeps.
            SecretError: the passphrase is empty, or ``path`` is there, or cannot be written.
        """
        if self._given or (self._chosen.exists() and not self.file.exists()):
            raise IdentityError(
                f"your key is not one that mlox keeps: it comes from {VARIABLE if self._given else 'your SSH key'}",
                hint="Make a backup of it where it is.",
            )
        self.file.load()
        if not passphrase:
            raise SecretError("the passphrase is empty; nothing was written", hint="Choose one of several words.")
        sealed: bytes = pyrage.passphrase.encrypt(self.file.text().encode(), passphrase.reveal())
        try:
            create_once(path, sealed)
        except FileExistsError as error:
            raise SecretError(f"{path} exists; it was left as it is", hint="Choose another name.") from error
        except OSError as error:
            raise SecretError(
                f"cannot write {path}: {error.strerror or error}", hint="Choose a folder that you can write."
            ) from error

    def load(self, path: Path, passphrase: Callable[[], Secret]) -> tuple[str, ...]:
        """Add the keys in ``path`` to the identity; returns the public halves of those that are new.

        Raises:
            IdentityError: the passphrase does not open it, or it holds no age keys.
            SecretError: it cannot be read, or the identity cannot be written.
        """
        text = _opened(_content(path), path, passphrase)
        try:
            keys = keys_in(text)
        except ValueError as error:
            raise IdentityError(
                f"{path} holds no identity: {error}", hint="Take the file that `mlox secrets key save` wrote."
            ) from error
        if not keys[0].public.startswith("age1"):
            raise IdentityError(f"{path} is an SSH key", hint=f"Use it in place: mlox secrets key load --ssh {path}.")
        before = self.file.text() if self.file.exists() else ""
        known = {key.public for key in self.file.load()} if before else set()
        new = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        new = [line.strip() for line in new if keys_in(line)[0].public not in known]
        try:
            if not before:
                create_once(self.file.path, text.encode())
            elif new:
                write_atomic(self.file.path, "\n".join([before.rstrip("\n"), *new, ""]).encode(), mode=0o600)
        except OSError as error:
            raise SecretError(
                f"cannot write the identity {self.file.path}: {error.strerror or error}",
                hint="Make its folder writable, or free some space; it is as it was.",
            ) from error
        return tuple(keys_in(line)[0].public for line in new)

    def load_ssh(self, path: Path) -> str:
        """Prefer the SSH key at ``path`` from now on; it stays where it is.

        Raises:
            IdentityError: it cannot be used.
            SecretError: the choice cannot be written down.
        """
        public = IdentityFile(path.absolute()).load()[0].public
        if not public.startswith("ssh-"):
            raise IdentityError(f"{path} is no SSH key", hint=f"Load it with: mlox secrets key load {path}.")
        link = self._chosen.path
        staged = link.with_name(f".{link.name}.{secrets.token_hex(6)}")
        try:
            make_folder(link.parent)
            staged.symlink_to(path.absolute())
            staged.replace(link)
        except OSError as error:
            with suppress(OSError):
                staged.unlink()
            raise SecretError(
                f"cannot write {link}: {error.strerror or error}", hint="Make its folder writable."
            ) from error
        return public


def _given(value: str) -> list[Key]:
    """The keys that ``MLOX_IDENTITY`` holds or names; nothing of a key gets into an error."""
    is_text = "secret-key-" in value.lower() or value.startswith("-----") or "\n" in value
    if not is_text:
        return IdentityFile(Path(value).expanduser()).load()
    try:
        return keys_in(value)
    except ValueError as error:
        reason = str(error)
    raise IdentityError(
        f"{VARIABLE} holds no key that can be used: {reason}",
        hint="Set it to a line AGE-SECRET-KEY-1..., or to the path of an identity file.",
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SecretError(
            f"cannot read {path}: {error.strerror or error}", hint="Name the file that `mlox secrets key save` wrote."
        ) from error


def _opened(content: bytes, path: Path, passphrase: Callable[[], Secret]) -> str:
    if not content.startswith((b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE")):
        return content.decode("utf-8-sig", errors="replace")
    phrase = passphrase()
    for _ in range(TRIES):
        try:
            opened: bytes = pyrage.passphrase.decrypt(content, phrase.reveal())
            return opened.decode("utf-8", errors="replace")
        except pyrage.DecryptError as error:
            if "Excessive work" not in str(error):
                raise IdentityError(
                    f"the passphrase does not open {path}", hint="Type it again, or take another backup."
                ) from error
            time.sleep(1)
    raise SecretError(
        f"this machine is too slow now to try the passphrase of {path}: age gives up where it would take long",
        hint="Try again when less is running.",
    )
