"""Components in a git repository: one commit of it is fetched, and read without ever being checked out.

So none of its hooks, filters, submodules and links are more than bytes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlox.components.manifest import MANIFEST
from mlox.errors import SpecError, UnknownNameError, WorkspaceError
from mlox.protocols import Published
from mlox.registries.git_command import run_git
from mlox.registries.layout import Found, Layout, is_own_name
from mlox.secret import Secret
from mlox.specs.paths import path_fault
from mlox.specs.registry import MAX_BYTES, is_loopback

FETCH_S = 120.0
READ_S = 30.0
MAX_LISTING = 20_000_000
_HELD = "refs/mlox/held"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*|[^/@:]+@[^/:]+:")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://(?:[^/@]*@)?(\[[^\]]*\]|[^/:]*)")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository, a branch, tag or commit of it (empty: its own choice), and a folder in it (empty: all of it)."""

    repository: str
    ref: str = ""
    folder: str = ""

    @classmethod
    def read(cls, text: str) -> Address:
        """The parts of ``REPOSITORY[@REF][#FOLDER]``.

        Raises:
            SpecError: it is no address, or one of a kind that is not taken: only https, ssh, files and folders are.

        Example:
            >>> Address.read("git@host.example:team/parts.git@v1#components")
            Address(repository='git@host.example:team/parts.git', ref='v1', folder='components')
        """
        rest, _, folder = text.partition("#")
        host = _HOST.match(rest)
        first = host[0] if host else ""  # an @ in it tells the user, not the commit
        path, _, ref = rest[len(first) :].partition("@")
        found = cls(first + path, ref, folder.strip("/"))
        found.check()
        return found

    def check(self) -> None:
        """Raise a :class:`SpecError` for an address that is not taken."""
        scheme = _SCHEME.match(self.repository)
        host = scheme[2].strip("[]") if scheme else ""
        allowed = ("https", "ssh", "file") + (("http",) if is_loopback(host) else ())
        if not self.repository or self.repository.startswith("-") or "::" in self.repository.partition("://")[0]:
            raise SpecError(f"{self.repository!r} is no git repository", hint="Name an address, or a folder.")
        if scheme and (scheme[1] not in allowed or host.startswith("-")):
            raise SpecError(f"{self.repository}: only https, ssh and folders are taken", hint="Name another address.")
        if self.ref and (not _REF.fullmatch(self.ref) or ".." in self.ref):
            raise SpecError(f"{self.ref!r} is no branch, tag or commit", hint="For example: @v1.2.")
        if self.folder and (fault := path_fault(self.folder)):
            raise SpecError(f"the folder {self.folder!r} {fault}", hint="For example: #components.")

    def __str__(self) -> str:
        return self.repository + (f"@{self.ref}" if self.ref else "") + (f"#{self.folder}" if self.folder else "")


class GitRegistry:
    """A git repository with a folder for each component; implements :class:`mlox.protocols.Registry`.

    Args:
        address: see :meth:`Address.read`; a folder is taken from ``root``. ``name``: what the workspace calls it.
        cache: the folder where its objects are kept; made where it is not there.
        token: for https, sent to that host alone.
    """

    def __init__(
        self, address: str, *, name: str, cache: Path, root: Path | None = None, token: Secret | None = None
    ) -> None:
        self.name = name
        self.address = Address.read(address)
        self._cache = cache
        self._root = root or Path.cwd()
        self._token = token
        self._layout = Layout(name, self._walk, self._get)

    @property
    def source(self) -> str:
        """The address with the commit that was read: pinned, whatever becomes of the branch."""
        return str(Address(self.address.repository, self.commit, self.address.folder))

    @cached_property
    def commit(self) -> str:
        """The commit that is read; it is fetched when that is asked for first."""
        wanted = self.address.ref
        if not (self._cache / "HEAD").is_file():
            shutil.rmtree(self._cache, ignore_errors=True)
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            run_git(
                None, "init", "--quiet", "--bare", "--template=", str(self._cache), name=self.name, timeout_s=READ_S
            )
        if _COMMIT.fullmatch(wanted) and self._resolved(wanted):
            return wanted
        self._fetch(wanted or "HEAD")
        commit = self._resolved(_HELD)
        if not commit:
            raise WorkspaceError(f"{self.name}: {self.address} is no commit", hint="Name a branch, a tag or a commit.")
        return commit

    def names(self) -> tuple[str, ...]:
        """The names of all components; see :meth:`mlox.protocols.Registry.names`."""
        tops = (path.removesuffix(f"/{MANIFEST}") for path in self._listing if path.endswith(f"/{MANIFEST}"))
        return tuple(sorted(name for name in tops if is_own_name(name)))

    def versions(self, name: str) -> tuple[Published, ...]:
        """The versions of a component; see :meth:`mlox.protocols.Registry.versions`."""
        self._check_known(name)
        return self._layout.versions(name)

    def read(self, name: str, version: str | None = None) -> Mapping[str, bytes]:
        """The files of a component; see :meth:`mlox.protocols.Registry.read`."""
        self._check_known(name)
        return self._layout.read(name, version, self._layout.index())

    def _check_known(self, name: str) -> None:
        if name not in self.names():
            raise UnknownNameError.among("component", name, self.names())

    def _fetch(self, ref: str) -> None:
        where = self.address.repository
        if not _SCHEME.match(where) and not re.match(r"[^/]+@[^/]+:", where):
            where = str(self._root / where)
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force")
        run_git(
            self._cache,
            *("fetch", *options, "--", where, f"+{ref}:{_HELD}"),
            name=self.name,
            timeout_s=FETCH_S,
            token=self._token,
            url=where,
        )

    def _resolved(self, ref: str) -> str:
        argv = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}")
        found = run_git(self._cache, *argv, name=self.name, timeout_s=READ_S, may_fail=True)
        return (found or b"").decode("ascii", "replace").strip()

    @cached_property
    def _listing(self) -> dict[str, tuple[Found, str]]:
        """Everything in the folder, with the name of its object."""
        tree = f"{self.commit}:{self.address.folder}" if self.address.folder else self.commit
        content = run_git(
            self._cache,
            *("ls-tree", "-r", "-l", "-z", "--full-tree", tree),
            name=self.name,
            timeout_s=READ_S,
            limit=MAX_LISTING,
        )
        found: dict[str, tuple[Found, str]] = {}
        for line in (content or b"").split(b"\0"):
            if line:
                about, _, raw = line.partition(b"\t")
                mode, kind, name, size = about.decode("ascii").split()
                path = raw.decode("utf-8", "surrogateescape")
                plain = kind == "blob" and mode in ("100644", "100755", "100664")
                found[path] = (Found(path, plain, int(size) if size.isdigit() else 0), name)
        return found

    def _walk(self, folder: str) -> Iterator[Found]:
        below = f"{folder}/"
        for path, (found, _) in self._listing.items():
            if path.startswith(below):
                yield Found(path.removeprefix(below), found.plain, found.size)

    def _get(self, path: str) -> bytes | None:
        if path not in self._listing:
            return None
        found, name = self._listing[path]
        if not found.plain:
            raise WorkspaceError(f"{self.name}: {path} is no plain file", hint="Put the file itself there.")
        if found.size > MAX_BYTES:
            raise WorkspaceError(f"{self.name}: {path} has more than {MAX_BYTES:,} bytes", hint="Keep data out of it.")
        return run_git(self._cache, "cat-file", "blob", name, name=self.name, timeout_s=READ_S, limit=MAX_BYTES)
