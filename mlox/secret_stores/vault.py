"""The workspace's vault: secrets as age files in the repository, sealed for every recipient, merged by git as files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlox.errors import IdentityError, SecretConflictError, SecretError
from mlox.protocols import StoredSecret
from mlox.secret import Secret
from mlox.secret_stores.folders import clear_deleted, delete_folder
from mlox.secret_stores.keys import UserKeys
from mlox.secret_stores.names import check_name, content_of, not_found, version_not_found
from mlox.secret_stores.private_files import clear_half_written
from mlox.secret_stores.sharing import VaultSharing
from mlox.secret_stores.vault_files import VaultFiles, names_of
from mlox.secret_stores.versions import Version, heads_of, new_version

if TYPE_CHECKING:
    from mlox.secret_stores.sealing import VaultSealing


class VaultStore:
    """The secrets below ``folder/secrets``, for the recipients in ``folder/recipients``.

    Args:
        folder: the ``.mlox`` of a workspace.
        identity: the user's identity file; the first secret makes it. ``given``: the value of ``MLOX_IDENTITY``.
        agreed: where this machine keeps the recipients that the user agreed to.
        used_elsewhere: whether something else is sealed for the identity, so that a lost one is not made anew.
        beside: files that belong into ``folder`` from the first secret on, by name.

    Example:
        >>> import tempfile
        >>> home = Path(tempfile.mkdtemp())
        >>> vault = VaultStore(home / ".mlox", home / "identity", home / "agreed")
        >>> version = vault.set("TOKEN", Secret("hunter22"))
        >>> vault.get("TOKEN", version).reveal()
        'hunter22'
    """

    name = "vault"

    def __init__(
        self,
        folder: Path,
        identity: Path,
        agreed: Path,
        *,
        given: str | None = None,
        used_elsewhere: Callable[[], bool] = lambda: False,
        beside: Mapping[str, bytes] | None = None,
    ) -> None:
        keys = UserKeys(identity, given, used_elsewhere)
        self._files = VaultFiles(folder, keys, agreed, beside or {})

    @cached_property
    def sharing(self) -> VaultSharing:
        """Who can read, and how that changes."""
        return VaultSharing(self._files)

    @cached_property
    def sealing(self) -> VaultSealing:
        """What seals streams for the same people."""
        from mlox.secret_stores.sealing import VaultSealing

        return VaultSealing(self._files)

    def get(self, name: str, version: str | None = None) -> Secret:
        """The newest version, or a given one.

        Raises:
            SecretNotFoundError: there is none.
            SecretConflictError: two branches set it, and nobody has set it since.
            IdentityError: it was not sealed for the user, or the identity is missing or broken.
            SecretError: the file is damaged or cannot be read.
        """
        versions = self._files.versions(name)
        if not versions:
            raise not_found(name, self.names())
        if version is None:
            heads = heads_of(versions)
            if len(heads) > 1:
                raise _conflict(name, heads)
            return self._files.open(name, heads[0])
        found = next((each for each in versions if each.id == version), None)
        if found is None:
            raise version_not_found(name, version, [each.id for each in versions])
        return self._files.open(name, found)

    def versions(self, name: str) -> tuple[str, ...]:
        """The ids of all versions, older ones first as far as a second tells; none where there is no such secret."""
        return tuple(each.id for each in self._files.versions(name))

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return self._files.names()

    def describe(self) -> tuple[StoredSecret, ...]:
        """All secrets without their values, sorted by name; needs no identity."""
        own: frozenset[str] = frozenset()
        try:
            own = self._files.own()
        except IdentityError:
            own = frozenset()  # nobody is "you" then; what can be read of it is told by `get`
        described = []
        for name in self.names():
            heads = heads_of(self._files.versions(name))
            if heads:
                last = heads[-1]
                readers = names_of(self._files.readers(last), own)
                several = tuple(each.id for each in heads) if len(heads) > 1 else ()
                described.append(StoredSecret(name, last.id, last.updated, readers, several))
        return tuple(described)

    def set(self, name: str, secret: Secret) -> str:
        """Keep a new version, for all recipients, and return its id; it follows all newest ones that there are.

        Raises:
            RecipientsChangedError: there are others than the user agreed to.
            IdentityError: the user is no recipient, or the identity is missing or broken.
            SecretError: the name or the value cannot be kept, or the write failed and the secret is as it was.
        """
        check_name(name)
        content = content_of(name, secret)
        with self._files.alone(f"write secret {name!r}"):
            recipients = self._files.ready()
            version = new_version(heads_of(self._files.versions(name)), time.time())
            self._files.write(name, version, content, recipients)
        return version.id

    def delete(self, name: str) -> None:
        """Remove every version; git keeps what was committed.

        Raises:
            SecretNotFoundError: there is none.
            SecretError: the files cannot be removed.
        """
        if not self._files.versions(name):
            raise not_found(name, self.names())
        with self._files.alone(f"delete secret {name!r}"):
            there = bool(self._files.versions(name))
            try:
                if there:
                    delete_folder(self._files.secrets, name)
                else:
                    clear_deleted(self._files.secrets)
            except OSError as error:
                raise SecretError(
                    f"cannot delete secret {name!r} in {self._files.secrets}: {error.strerror or error}",
                    hint="Make the folder and what is in it writable, and delete it again.",
                ) from error
        if not there:
            raise not_found(name, self.names())

    def recover(self) -> None:
        """Remove what a killed process left half written or half deleted; a failure waits for the next one."""
        top = self._files.secrets
        if not any(top.glob(".deleted-*")) and not any(top.glob("*/.*.tmp")):
            return
        with suppress(SecretError, OSError), self._files.alone("clear the secrets up"):
            clear_deleted(top)
            clear_half_written(top)


def _conflict(name: str, heads: list[Version]) -> SecretConflictError:
    told = ", ".join(f"{each.id} ({each.day})" for each in heads)
    return SecretConflictError(
        f"secret {name!r} was set on two branches, and both values were kept: {told}",
        hint=f"Read one with: mlox secrets get {name} --version ID; then decide with: mlox secrets set {name}",
        versions=tuple(each.id for each in heads),
    )
