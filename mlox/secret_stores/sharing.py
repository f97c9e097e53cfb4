"""How people let each other into a vault: requests, new recipients, those who leave, and keys on other machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlox.errors import IdentityError, SecretError, UnknownNameError
from mlox.protocols import Changes, Leaver, Recipient, Resealed
from mlox.secret import Secret
from mlox.secret_stores.folders import entries
from mlox.secret_stores.recipients_file import RecipientsFile, is_recipient_name, public_key, rendered
from mlox.secret_stores.vault_files import VaultFiles, login, refuse_link
from mlox.secret_stores.versions import heads_of


class VaultSharing:
    """The recipients of a vault, and the requests in ``requests/<name>`` of its folder."""

    def __init__(self, files: VaultFiles) -> None:
        self._files = files

    def recipients(self) -> tuple[Recipient, ...]:
        """Who can read what is set from now on."""
        return self._files.recipients.read()

    def own(self) -> frozenset[str]:
        """The user's own public keys; none where the user has no identity yet."""
        return self._files.own()

    def changes(self) -> Changes:
        """How the recipients differ from those that the user agreed to."""
        return self._files.changes()

    def agree(self, recipients: Sequence[Recipient]) -> None:
        """Remember on this machine that the user agreed to exactly these."""
        self._files.agree(recipients)

    def requests(self) -> tuple[Recipient, ...]:
        """Who asked to be let in, sorted by name."""
        found = []
        refuse_link(self._requests)
        for entry in sorted(entries(self._requests), key=lambda entry: entry.name):
            if is_recipient_name(entry.name) and entry.is_file(follow_symlinks=False):
                keys = RecipientsFile(self._requests / entry.name).read()
                found += [Recipient(keys[0].key, entry.name)] if keys else []
        return tuple(found)

    def find(self, who: str, name: str | None = None) -> Recipient:
        """Whom ``who`` means: a public key, or the name of a request or of a recipient.

        Raises:
            UnknownNameError: nobody.
            SecretError: it is a key that cannot be used, or the name stands for two keys.
        """
        if "secret-key-" in who.lower() or "private key" in who.lower():
            raise SecretError(
                "that is a private key, which is nobody else's to have; nothing was done",
                hint="Name its public half: age1... or ssh-ed25519 ... . Whatever keeps what is typed has the key now.",
            )
        listed, requests = self.recipients(), self.requests()
        known = {each.key: each for each in (*self._files.agreed.read(), *requests, *listed)}
        if who.startswith(("age1", "ssh-", "ecdsa-", "sk-")):
            try:
                key = public_key(who)
            except ValueError as error:
                raise SecretError(f"{who[:40]!r} cannot be a recipient: {error}", hint="Copy the whole key.") from error
            comment = " ".join(who.split()[2:])
            usual = known[key].name if key in known else comment if is_recipient_name(comment) else ""
            return self._named(Recipient(key, usual), name, known)
        found = [each for each in known.values() if each.name == who]
        if not found:
            raise UnknownNameError.among("recipient", who, {each.name for each in known.values() if each.name})
        if len(found) > 1:
            raise SecretError(
                f"{who!r} stands for {len(found)} keys: {', '.join(each.short for each in found)}",
                hint=f"Ask {who} which one it is, and name the key itself.",
            )
        return self._named(found[0], name, known)

    def share(self, recipient: Recipient, *, dry_run: bool = False) -> Resealed:
        """Add a recipient, and seal the newest version of each secret for all of them.

        Raises:
            RecipientsChangedError: there are others among them whom the user did not agree to.
            IdentityError: the user is no recipient.
            SecretError: it cannot be written.
        """
        if dry_run:
            return self._reseal((*self.recipients(), recipient), dry_run=True)
        with self._files.alone("share the secrets"):
            if not self._files.recipients.exists():
                self._files.ready()
            if self._files.own().isdisjoint(each.key for each in self.recipients()):
                raise IdentityError(
                    f"you are not among the recipients in {self._files.recipients.path}, so you can let in nobody",
                    hint="Ask somebody who is; or bring the key that is (mlox secrets key load FILE).",
                )
            self._check_others(recipient)
            self._files.recipients.add(recipient)
            recipients = self.recipients()
            self.agree(recipients)
            resealed = self._reseal(recipients)
            self._forget_request(recipient)
        return resealed

    def unshare(self, recipient: Recipient, *, dry_run: bool = False) -> Leaver:
        """Take a recipient out; what was sealed for them before stays readable to them.

        Raises:
            RecipientsChangedError: there are other changes that the user did not agree to.
            SecretError: nobody else could read the secrets, or it cannot be written.
        """
        left = [each for each in self.recipients() if each.key != recipient.key]
        if not left:
            raise SecretError(
                f"{recipient} is the only recipient: nobody could read the secrets", hint="Share them first."
            )
        leaver = self._read_by(recipient)
        if not dry_run:
            with self._files.alone("change the recipients"):
                self._check_others(recipient)
                self._files.recipients.remove(recipient.key)
                self.agree(self.recipients())
        return leaver

    def join(self, name: str | None = None, *, dry_run: bool = False) -> tuple[Recipient, Path | None]:
        """Ask to be let in, by a file in the repository; None in its place where the user is in already.

        Raises:
            SecretError: there is no vault, or somebody else asked by that name.
            IdentityError: the identity is broken.
        """
        listed = self.recipients()
        if not listed:
            raise SecretError("there is no vault here yet", hint="Make it by the first secret: mlox secrets set NAME.")
        own = self._files.own()
        for each in listed:
            if each.key in own:
                return each, None
        chosen = login() if name is None else name
        _check_name(chosen)
        path = self._requests / chosen
        if dry_run and not own:
            return Recipient("age1", chosen), path
        self._files.keys.need()
        me = Recipient(self._files.keys.all()[0].public, chosen)
        others = [each for each in (*listed, *self.requests()) if each.name == chosen and each.key != me.key]
        if others:
            raise SecretError(f"{chosen!r} is {others[0].short} already", hint="Choose another name: --name NAME.")
        if not dry_run:
            RecipientsFile(path).write(rendered([me]))
        return me, path

    def save_key(self, path: Path, passphrase: Secret) -> None:
        """Write the user's identity to a file that a passphrase opens."""
        self._files.keys.save(path, passphrase)

    def load_key(self, path: Path, passphrase: Callable[[], Secret]) -> tuple[str, ...]:
        """Add the keys of a file to the identity; returns the new public keys."""
        return self._files.keys.load(path, passphrase)

    def load_ssh_key(self, path: Path) -> str:
        """Use an SSH key from now on, where it is; returns its public key."""
        return self._files.keys.load_ssh(path)

    @property
    def _requests(self) -> Path:
        return self._files.folder / "requests"

    def _named(self, found: Recipient, name: str | None, known: Mapping[str, Recipient]) -> Recipient:
        """``found`` by the name that it is to have; a name that somebody has is not given to a second key."""
        chosen = found.name if name is None else name
        if name is not None:
            _check_name(name)
        others = [each for each in known.values() if chosen and each.name == chosen and each.key != found.key]
        is_new = found.key not in {each.key for each in (*self.recipients(), *self._files.agreed.read())}
        if others and (is_new or name is not None):
            raise SecretError(f"{chosen!r} is {others[0].short} already", hint="Give another name: --name NAME.")
        return Recipient(found.key, chosen)

    def _check_others(self, recipient: Recipient) -> None:
        changes = self.changes()
        self._files.check(
            Changes(
                tuple(each for each in changes.added if each.key != recipient.key),
                tuple(each for each in changes.removed if each.key != recipient.key),
            )
        )

    def _reseal(self, recipients: Sequence[Recipient], *, dry_run: bool = False) -> Resealed:
        wanted = {each.key for each in recipients}
        done, unreadable = set(), set()
        for name in self._files.names():
            for head in heads_of(self._files.versions(name)):
                if wanted <= {each.key for each in self._files.readers(head) or ()}:
                    continue
                try:
                    content = self._files.open(name, head).reveal().encode()
                except IdentityError:
                    unreadable.add(name)
                    continue
                if not dry_run:
                    self._files.write(name, head, content, recipients)
                done.add(name)
        return Resealed(tuple(sorted(done)), tuple(sorted(unreadable)))

    def _read_by(self, recipient: Recipient) -> Leaver:
        """From the lists beside the versions; where a list is missing, they may have."""
        could, newest = [], []
        for name in self._files.names():
            versions = self._files.versions(name)
            read = {v.id for v in versions if self._reads(recipient, self._files.readers(v))}
            could += [name] if read else []
            newest += [name] if read & {head.id for head in heads_of(versions)} else []
        return Leaver(tuple(could), tuple(newest))

    @staticmethod
    def _reads(recipient: Recipient, readers: Sequence[Recipient] | None) -> bool:
        return readers is None or recipient.key in {each.key for each in readers}

    def _forget_request(self, recipient: Recipient) -> None:
        for request in self.requests():
            if request.key == recipient.key:
                try:
                    (self._requests / request.name).unlink(missing_ok=True)
                except OSError as error:
                    raise SecretError(
                        f"cannot remove the request {self._requests / request.name}: {error.strerror}",
                        hint="Remove it yourself: it is met.",
                    ) from error


def _check_name(name: str) -> None:
    if not is_recipient_name(name):
        raise SecretError(
            f"{name[:60]!r} cannot be the name of a recipient",
            hint="Take up to 60 letters, digits and any of _ . @ + -, such as anna.",
        )
