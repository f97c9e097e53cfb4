"""Where a stack is written down: finding a workspace, reading it, and editing it so that comments stay."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from mlox.documents import REMOVED, edited, load, parse
from mlox.errors import SpecError, WorkspaceError
from mlox.journal import Edit, Journal
from mlox.lockfile import LOCK, LockFile
from mlox.specs import StackSpec
from mlox.specs.naming import RECORDS

SPEC = "mlox.yaml"
IGNORED = b"# What only this machine needs; see https://git-scm.com/docs/gitignore\n.*.tmp\n.deleted-*\nlocal/\n"
ATTRIBUTES = b"secrets/** binary\nbase/** -text\nrecipients text eol=lf merge=union\nreaders/** -text\n"
COMMITTED = ((".mlox/.gitignore", IGNORED), (".mlox/.gitattributes", ATTRIBUTES))


def data_home() -> Path:
    """Where services of this machine keep their data: ``MLOX_DATA_HOME``, as root ``/var/lib/mlox``, else by XDG.

    Source: the XDG Base Directory Specification, ``XDG_DATA_HOME``.
    """
    chosen = os.environ.get("MLOX_DATA_HOME")
    if chosen:
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/mlox")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share").absolute() / "mlox"


def current_folder() -> Path:
    """The folder that this process is in.

    Raises:
        WorkspaceError: somebody removed it meanwhile.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise WorkspaceError("this folder was removed meanwhile", hint="Go to one that is there: cd ~.") from None


class Workspace:
    """A folder with, or for, an ``mlox.yaml``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = Journal(root / ".mlox" / "local" / "journal")

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """The nearest folder upward with an ``mlox.yaml``, else the git root, else ``start`` itself.

        The home folder and ``/`` never are one: there, what needs no workspace works, and the rest says so.

        Raises:
            WorkspaceError: ``start`` does not exist.
        """
        start = (start or current_folder()).absolute()
        if not start.is_dir():
            raise WorkspaceError(f"{start} is not a folder", hint="Make it first, or name another with -C.")
        for marker in (SPEC, ".git"):
            for folder in (start, *start.parents):
                if (folder / marker).exists() and not _forbidden(folder):
                    return cls(folder)
        return cls(start)

    @property
    def path(self) -> Path:
        """The ``mlox.yaml``, whether it exists or not."""
        return self.root / SPEC

    @property
    def exists(self) -> bool:
        """Whether there is an ``mlox.yaml``."""
        return self.path.exists() and not _forbidden(self.root)

    @property
    def has_components(self) -> bool:
        """Whether components were added, or a killed process left a change of some half done."""
        return self.journal.pending or any((self.root / RECORDS).glob("*.json"))

    def recover(self) -> None:
        """Finish what a killed process left half written; whoever calls holds the stack."""
        with self._alone():
            self._recover()

    def _recover(self) -> None:
        self.journal.recover()
        for path in (self.path, self.root / LOCK, *(self.root / name for name, _ in COMMITTED)):
            for left in path.parent.glob(f".{path.name}.*.tmp"):
                left.unlink(missing_ok=True)

    def read(self) -> StackSpec:
        """What ``mlox.yaml`` says.

        Raises:
            WorkspaceError: there is none, or it cannot be read.
            SpecError: it is wrong; the problem names the line.
        """
        self.check_place()
        if not self.path.exists():
            raise WorkspaceError(f"no {SPEC} in {self.root} or above", hint="Make this folder a workspace: mlox init.")
        return _spec(_text(self.path), self._shown(self.path))

    def create(self, name: str | None = None, *, taken: Callable[[str], bool]) -> StackSpec:
        """Write ``mlox.yaml`` and the committed part of ``.mlox/``; ``taken`` says whether an id is in use here.

        Where another process was quicker, also one that was killed on the way, what that one wrote stays.
        """
        self.check_place()
        with self._alone():
            self._recover()
            return self.read() if self.exists else self._create(name, taken=taken)

    def _create(self, name: str | None, *, taken: Callable[[str], bool]) -> StackSpec:
        spec = self.draft(name, taken=taken)
        plain = load(spec.name, source=SPEC) == spec.name  # null and true are not
        name_text = spec.name if plain else f'"{spec.name}"'
        text = f"# What this stack consists of; mlox keeps your comments.\nname: {name_text}\nid: {spec.id}\n"
        self.journal.write([*self._missing(), Edit(self.path, text.encode(), replaces=None)])
        return self.read()

    def put_ignored(self) -> None:
        """Tell git what only this machine needs, where ``mlox.yaml`` was written by hand and nothing tells it yet.

        Whoever calls holds the stack.
        """
        self.journal.write(self._missing())

    def _missing(self) -> list[Edit]:
        return [Edit(self.root / p, text, replaces=None) for p, text in COMMITTED if not (self.root / p).exists()]

    def draft(self, name: str | None = None, *, taken: Callable[[str], bool]) -> StackSpec:
        """What :meth:`create` would write."""
        chosen = slug(self.root.name) if name is None else name
        identity = next(i for i in (f"{chosen}-{secrets.token_hex(2)}" for _ in range(10_000)) if not taken(i))
        return _checked({"name": chosen, "id": identity})

    def give_id(self, *, taken: Callable[[str], bool]) -> StackSpec:
        """The stack with an id: where a person wrote ``mlox.yaml`` without one, it is written in."""
        spec = self.read()
        if spec.id is not None:
            return spec
        with self._alone():
            spec = self.read()
            if spec.id is not None:
                return spec
            return self._edit({"id": self.draft(spec.name, taken=taken).id}, after="name")

    def put_service(self, name: str, values: Mapping[str, object]) -> StackSpec:
        """Write a new service, or some values of one that is there."""
        return self._edit({"services": {name: values}})

    def put_services(self, services: Mapping[str, Mapping[str, object]], files: Mapping[Path, bytes]) -> StackSpec:
        """Write new services, and new files beside ``mlox.yaml``: all or nothing."""
        edits = [Edit(path, content, replaces=None) for path, content in files.items()]
        return self._edit({"services": services}, beside=edits)

    def drop_service(self, name: str) -> StackSpec:
        """Take a service out."""
        return self._edit({"services": {name: REMOVED}})

    def put_registry(self, namespace: str, values: Mapping[str, object]) -> StackSpec:
        """Write a registry of components, which is not there yet."""
        return self._edit({"registries": {namespace: values}})

    def drop_registry(self, namespace: str) -> StackSpec:
        """Take a registry out."""
        alone = set(self.read().registries) == {namespace}
        return self._edit({"registries": REMOVED if alone else {namespace: REMOVED}})

    def check_place(self) -> None:
        """Raise a :class:`WorkspaceError` for a folder that can never be a workspace."""
        if _forbidden(self.root):
            raise WorkspaceError(
                f"{self.root} cannot be a workspace", hint="Make a folder for the project, go there, then mlox init."
            )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among the processes that give this folder its id; by a lock on the folder, which needs no file."""
        try:
            descriptor = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise WorkspaceError(f"cannot read {self.root}: {error.strerror}", hint="Mend its permissions.") from error
        try:
            with contextlib.suppress(OSError):  # some network drives lock no folders
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _edit(
        self, changes: Mapping[str, object], *, after: str | None = None, beside: Sequence[Edit] = ()
    ) -> StackSpec:
        before, source = _text(self.path), self._shown(self.path)
        text = edited(before, changes, source=source, after=after)
        spec = parse(text, StackSpec, source=source)
        self.journal.write([*beside, Edit(self.path, text.encode(), replaces=before.encode())])
        return spec

    def _shown(self, path: Path) -> str:
        return str(path).removeprefix(f"{Path.cwd()}/")

    @cached_property
    def lock(self) -> LockFile:
        """The workspace's ``mlox.lock.yaml``."""
        return LockFile(self.root / LOCK, self.journal)


def slug(name: str) -> str:
    """A stack name from a folder's name.

    Example:
        >>> slug("My Churn_Model (2)")
        'my-churn-model-2'
    """
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (text if text and text[0].isalpha() else f"stack-{text}")[:40].strip("-")


@lru_cache(maxsize=16)
def _spec(text: str, source: str) -> StackSpec:
    """The spec in a text; the same text is parsed once in a process."""
    return parse(text, StackSpec, source=source)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error
    except OSError as error:
        raise WorkspaceError(f"cannot read {path}: {error.strerror}", hint="Mend its permissions.") from error


def _checked(values: Mapping[str, str]) -> StackSpec:
    text = "".join(f"{key}: {value!r}\n" for key, value in values.items())
    try:
        return parse(text, StackSpec, source="the name")
    except SpecError as error:
        raise SpecError(
            f"{values['name']!r} cannot be a stack's name: lower case letters, digits and single hyphens",
            hint=f"For example: mlox init {slug(values['name'])}.",
        ) from error


def _forbidden(folder: Path) -> bool:
    """Whether it is ``/`` or the home folder, also by another path; asked often."""
    with contextlib.suppress(OSError):
        here = os.stat(folder)  # noqa: PTH116 - a tenth of the time of a Path's, as below
        return any(os.path.samestat(here, os.stat(place)) for place in ("/", os.path.expanduser("~")))  # noqa: PTH111, PTH116
    return False
