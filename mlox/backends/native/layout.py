"""Where a native stack's files lie, and which paths mlox refuses to touch."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlox.errors import MloxError, RequirementError, UsageError

SOCKET_BYTES = 90
"""How long a socket's path may be: 104 bytes on macOS, 108 on Linux, and supervisor appends its pid while binding."""

SHORT = Path("/tmp")  # noqa: S108 - the folder in it is made 0700 and its owner is checked

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one stack below the data home."""

    home: Path
    stack: str

    def __post_init__(self) -> None:
        check_name("stack", self.stack)

    @property
    def folder(self) -> Path:
        """The stack's own folder."""
        return self.home / self.stack

    @property
    def lease(self) -> Path:
        """Who may change the stack; see ``leasing.py``."""
        return self.folder / "lock"

    @property
    def supervisor(self) -> Path:
        """The supervisor's configuration, log and pid."""
        return self.folder / "supervisor"

    @property
    def shim(self) -> Path:
        """The copy of ``shim.py`` that the supervisor runs."""
        return self.folder / "shim.py"

    @property
    def units(self) -> Path:
        """The labels and annotations of the units, and what of them is wanted running."""
        return self.folder / "units"

    @property
    def launch(self) -> Path:
        """What starts, with its secrets; one file of mode 0600 a unit."""
        return self.folder / "launch"

    @property
    def logs(self) -> Path:
        """What the units wrote."""
        return self.folder / "logs"

    @property
    def services(self) -> Path:
        """The data of all services."""
        return self.folder / "services"

    @property
    def kept(self) -> Path:
        """What ran before, of services that are being changed; see ``keeping.py``."""
        return self.folder / "kept"

    @property
    def history(self) -> Path:
        """What was done to the stack; see ``recording.py``."""
        return self.folder / "history"

    @property
    def moving(self) -> Path:
        """What is noted of services on their way to or from here, and data that comes in; see ``carrying.py``."""
        return self.folder / "moving"

    @property
    def socket(self) -> Path:
        """The supervisor's socket: beside its configuration, or in a short folder where that path is too long."""
        near = self.supervisor / "supervisor.sock"
        if len(os.fsencode(near)) <= SOCKET_BYTES:
            return near
        return SHORT / f"mlox-{os.geteuid()}-{self.mark}" / "supervisor.sock"

    @property
    def mark(self) -> str:
        """Sixteen hexadecimal digits over the path of the folder."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]

    def unit(self, service: str, name: str) -> UnitPlace:
        """The files of one unit."""
        return UnitPlace(self, service, name)

    def known(self) -> list[UnitPlace]:
        """The units that have an annotation here, readable or not, in order."""
        found = [path.name.removesuffix(".json").partition(".") for path in self.units.glob("*.json")]
        return [
            self.unit(service, name)
            for service, _, name in sorted(found)
            if _NAME.fullmatch(service) and _NAME.fullmatch(name)
        ]


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """The files of one unit."""

    stack: Place
    service: str
    name: str

    def __post_init__(self) -> None:
        check_name("service", self.service)
        check_name("unit", self.name)

    @property
    def key(self) -> str:
        """``service.unit``: unique in a stack."""
        return f"{self.service}.{self.name}"

    @property
    def marker(self) -> str:
        """What the unit's processes carry in their environment; other data homes may have a stack of the same id."""
        return f"{self.stack.stack}/{self.service}/{self.name}@{self.stack.mark}"

    @property
    def annotation(self) -> Path:
        """The unit's labels and rendered, secret-free spec."""
        return self.stack.units / f"{self.key}.json"

    @property
    def program(self) -> Path:
        """The supervisor's entry; there exactly while the unit is wanted running."""
        return self.stack.units / f"{self.key}.conf"

    @property
    def launch(self) -> Path:
        """What starts, secrets revealed."""
        return self.stack.launch / f"{self.key}.json"

    @property
    def log(self) -> Path:
        """What the unit writes; older parts end in ``.1`` to ``.3``."""
        return self.stack.logs / f"{self.key}.log"

    @property
    def data(self) -> Path:
        """The service's folder."""
        return self.stack.services / self.service

    @property
    def record(self) -> Path:
        """What the unit's process wrote about itself when it began."""
        return self.data / f".{self.name}.run"

    @property
    def initialised(self) -> Path:
        """The names of the ``init`` jobs that are done."""
        return self.data / f".{self.name}.jobs"

    def inside(self, path: str) -> Path:
        """``path``, when it lies in the service's folder and no link leads out of it.

        Raises:
            RequirementError: it lies elsewhere.
        """
        target = Path(os.path.normpath(path))
        if not target.is_absolute() or self.data not in target.parents:
            raise RequirementError(
                f"{self.key} names {path}, which is not below {self.data}", hint="Use ${dir.NAME} for its paths."
            )
        if target.parent.resolve() != self.data.parent.resolve() / target.parent.relative_to(self.data.parent):
            raise RequirementError(f"a link leads {target} out of {self.data}", hint=f"Remove the link in {self.data}.")
        return target


def check_name(kind: str, name: str) -> None:
    """Refuse a name that could lead out of its folder.

    Raises:
        UsageError: it holds anything but lower case letters, digits and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name of a {kind}", hint="Use lower case letters, digits and hyphens, as in churn-7f3a."
        )


def stacks(home: Path) -> list[Place]:
    """Every stack that has a folder of units below ``home``, in order."""
    return [Place(home, path.parent.name) for path in sorted(home.glob("*/units")) if _NAME.fullmatch(path.parent.name)]


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failing write below ``path`` into an error that says what to do.

    Raises:
        RequirementError: the disk is full, or the path cannot be written.
    """
    try:
        yield
    except MloxError:
        raise
    except OSError as e:
        where = e.filename or path
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RequirementError(f"no space left on the disk of {where}", hint="Free some disk space.") from e
        raise RequirementError(
            f"cannot write {where}: {e.strerror or e}", hint="Check who owns the folder, or choose another data home."
        ) from e
