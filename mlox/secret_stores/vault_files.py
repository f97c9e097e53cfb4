"""What a vault is on the disk: versions, who they were sealed for, and the recipients that this user agreed to."""

from __future__ import annotations

import getpass
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pyrage

from mlox.errors import IdentityError, RecipientsChangedError, SecretError
from mlox.journal import write_atomic
from mlox.protocols import Changes, Recipient
from mlox.secret import Secret
from mlox.secret_stores.folders import decoded, encoded, entries, text_in, unreadable
from mlox.secret_stores.identity import seal
from mlox.secret_stores.keys import UserKeys
from mlox.secret_stores.names import is_name
from mlox.secret_stores.private_files import alone, make_folder
from mlox.secret_stores.recipients_file import RecipientsFile, rendered
from mlox.secret_stores.versions import Version, versions_in

WAIT_S = 30.0


class VaultFiles:
    """The files of a vault in ``folder``, committed, and of what ``agreed`` keeps of it on this machine.

    ``beside`` are files that have to stand in ``folder`` from the first secret on, by name.
    """

    def __init__(self, folder: Path, keys: UserKeys, agreed: Path, beside: Mapping[str, bytes]) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.recipients = RecipientsFile(folder / "recipients")
        self.agreed = RecipientsFile(agreed, mode=0o600)
        self.keys = keys
        self._beside = beside
        self._lists: dict[str, tuple[Recipient, ...] | None] = {}

    def names(self) -> tuple[str, ...]:
        """The names of all secrets, sorted."""
        folders = (entry.name for entry in entries(self.secrets) if entry.is_dir(follow_symlinks=False))
        return tuple(sorted(name for f in folders if (name := decoded(f)) is not None and self.versions(name)))

    def versions(self, name: str) -> list[Version]:
        """The versions of a secret, the newest last."""
        return versions_in(self.secrets / encoded(name)) if is_name(name) else []

    def own(self) -> frozenset[str]:
        """The user's public keys.

        Raises:
            IdentityError: there are some, and they cannot be read.
        """
        return frozenset(key.public for key in self.keys.all()) if self.keys.exist else frozenset()

    def readers(self, version: Version) -> tuple[Recipient, ...] | None:
        """Who a version was sealed for; None where that is not known."""
        lists = [self._list(file.readers) for file in version.files]
        if None in lists:
            return None
        return tuple({each.key: each for found in lists for each in found or ()}.values())

    def open(self, name: str, version: Version) -> Secret:
        """The value of a version.

        Raises:
            IdentityError: it was not sealed for the user, or the identity is missing or broken.
            SecretError: the file is damaged, or cannot be read.
        """
        if not self.keys.exist:
            raise self._no_identity()
        keys = self.keys.all()
        own = {key.public for key in keys}
        files = sorted(version.files, key=lambda file: self._may_open(file.readers, own), reverse=True)
        for file in files if len(version.files) > 1 else version.files:
            try:
                content = pyrage.decrypt(file.path.read_bytes(), [key.opener for key in keys])
                return Secret(text_in(content, file.path), version.id)
            except pyrage.DecryptError as error:
                if "No matching keys" not in str(error):
                    raise SecretError(
                        f"{file.path} is damaged: {error}",
                        hint="Take that file back from git, or set the secret again.",
                    ) from error
            except OSError as error:
                raise unreadable(file.path, error) from error
        raise IdentityError(
            f"secret {name!r} was not sealed for you, but for {told(self.readers(version), own)}",
            hint="Ask to be let in (mlox secrets join), or bring the key that opens it (mlox secrets key load FILE).",
        )

    def write(self, name: str, version: Version, content: bytes, recipients: Sequence[Recipient]) -> None:
        """Seal a version for ``recipients`` into a file of its own; first who they are, then the file.

        Raises:
            SecretError: it cannot be written.
        """
        text = rendered(sorted(recipients, key=lambda each: each.key))
        digest = _digest(text)
        folder = self.secrets / encoded(name)
        path = folder / version.file_name(digest)
        try:
            for made in (self.folder / "readers", folder):
                refuse_link(made)
                make_folder(made, mode=0o777)
            if self._list(digest) is None:
                record = self.folder / "readers" / digest
                refuse_link(record)
                write_atomic(record, text.encode())
                self._lists.pop(digest, None)
            try:
                write_atomic(path, seal(content, [each.key for each in recipients]))
            except OSError:
                with suppress(OSError):
                    path.unlink()  # there already if it was the folder that did not reach the disk
                raise
        except OSError as error:
            raise _unwritable(f"write secret {name!r}", self.secrets, error) from error

    def changes(self) -> Changes:
        """How the recipients differ from those that the user agreed to; who has agreed to nobody, knows himself."""
        listed = self.recipients.read()
        own = self.own()
        agreed = self.agreed.read() if self.agreed.exists() else tuple(each for each in listed if each.key in own)
        before, now = {each.key for each in agreed}, {each.key for each in listed}
        return Changes(
            tuple(each for each in listed if each.key not in before),
            tuple(each for each in agreed if each.key not in now),
        )

    def agree(self, recipients: Sequence[Recipient]) -> None:
        """Remember that the user agreed to exactly these."""
        self.agreed.write(rendered(recipients))

    def ready(self) -> tuple[Recipient, ...]:
        """The recipients, to seal for them; the first secret makes the vault, with the user as the only one.

        Raises:
            IdentityError: the user has no key, or is no recipient.
            RecipientsChangedError: they are not those that the user agreed to.
            SecretError: the list is broken or missing.
        """
        if not self.recipients.exists():
            return self._begin()
        if not self.keys.exist:
            raise self._no_identity()
        listed, own = self.recipients.read(), self.own()
        if own.isdisjoint(each.key for each in listed):
            raise IdentityError(
                f"you are not among the recipients in {self.recipients.path}",
                hint="Ask to be let in (mlox secrets join), or bring the key that is (mlox secrets key load FILE).",
            )
        self.check(self.changes())
        return listed

    def check(self, changes: Changes) -> None:
        """Refuse to go on while the user has not agreed to ``changes``."""
        if changes:
            raise RecipientsChangedError(
                f"{self.recipients.path} is not what you agreed to: {changes}; nothing was written",
                hint=self._advice(changes),
            )

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Alone among the processes of this machine that change the vault; ``what`` is done there.

        Raises:
            SecretError: somebody else holds it, or the folder cannot be made.
        """
        with ExitStack() as held:
            try:
                for folder in (self.folder, self.secrets):
                    refuse_link(folder)
                    make_folder(folder, mode=0o777)
                held.enter_context(alone(self.secrets, wait_s=WAIT_S))
            except OSError as error:
                raise _unwritable(what, self.secrets, error) from error
            yield

    def _begin(self) -> tuple[Recipient, ...]:
        if self.names() or (self.agreed.exists() and len(self.agreed.read()) > 1):
            raise SecretError(
                f"{self.recipients.path} is missing, so nobody can tell whom to seal for",
                hint="Take it back from git: git checkout HEAD -- .mlox/recipients",
            )
        self.keys.need()
        me = Recipient(self.keys.all()[0].public, login())
        self.agree([me])
        for name, content in self._beside.items():
            if not (self.folder / name).exists():
                RecipientsFile(self.folder / name).write(content.decode())
        self.recipients.write(rendered([me]))
        return (me,)

    def _list(self, digest: str) -> tuple[Recipient, ...] | None:
        """The recipients whose list has that digest; None where it is missing or another text."""
        if digest not in self._lists:
            path = self.folder / "readers" / digest
            with suppress(OSError):
                same = _digest(path.read_text("utf-8", errors="replace")) == digest
                self._lists[digest] = RecipientsFile(path).read() if same else None
        return self._lists.get(digest)

    def _may_open(self, digest: str, own: set[str]) -> bool:
        return any(each.key in own for each in self._list(digest) or ())

    def _advice(self, changes: Changes) -> str:
        if not changes.added:
            gone = changes.removed[0]
            return f"If that is right: mlox secrets unshare {gone.name or gone.key}"
        new = changes.added[0]
        agreed = {each.name for each in self.agreed.read()}
        who = new.name if new.name and new.name not in agreed else repr(new.key)
        return f"If that is right: mlox secrets share {who}; if not: mlox secrets unshare {who}"

    def _no_identity(self) -> IdentityError:
        return IdentityError(
            f"there is no identity at {self.keys.file.path}",
            hint="Bring yours (mlox secrets key load FILE), or ask to be let in with a new one (mlox secrets join).",
        )


def told(recipients: Sequence[Recipient] | None, own: frozenset[str] | set[str]) -> str:
    """Readers for a person: you first, then names.

    Example:
        >>> told([Recipient("age1b", "bob"), Recipient("age1a", "anna")], {"age1a"})
        'you, bob'
    """
    return ", ".join(names_of(recipients, own))


def names_of(recipients: Sequence[Recipient] | None, own: frozenset[str] | set[str]) -> tuple[str, ...]:
    """The names of readers, the user's own as ``you``."""
    if recipients is None:
        return ("unknown",)
    mine = ("you",) if any(each.key in own for each in recipients) else ()
    return (*mine, *sorted(each.name or each.short for each in recipients if each.key not in own))


def login() -> str:
    """A name for the user: that of the account, as far as it can be one."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return re.sub(r"[^A-Za-z0-9_.@+-]+", "-", name).strip("-_.@+")[:60] or "me"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def refuse_link(path: Path) -> None:
    """Refuse what a repository could use to have a write land elsewhere."""
    if path.is_symlink():
        raise SecretError(f"{path} is a link to elsewhere", hint="Put a folder of its own in its place.")


def _unwritable(what: str, folder: Path, error: OSError) -> SecretError:
    return SecretError(
        f"cannot {what} in {folder}: {error.strerror or error}",
        hint="Make the folder writable, or free some space; the secret is as it was.",
    )
