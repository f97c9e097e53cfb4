"""What a native process gets: its argv with an absolute program, its environment, and nothing of the user's."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlox.backends.native import shim
from mlox.backends.native.account import Account
from mlox.backends.native.layout import UnitPlace, writing
from mlox.errors import RequirementError
from mlox.protocols import Transport
from mlox.secret import Secret
from mlox.units import Unit, launch
from mlox.variables import finish

FIRST = ("/usr/local/bin", "/usr/bin", "/bin")
LAST = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin")
PASSED = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
LOOPBACK = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class Start:
    """A command ready to become a process, secrets revealed."""

    argv: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)


def prepare(
    place: UnitPlace,
    unit: Unit,
    secrets: Mapping[str, Secret],
    *,
    argv: tuple[str, ...],
    account: Account,
    venv: Path | None,
) -> Start:
    """``argv`` (a template, as in the unit) with everything that it needs to run in the unit's place.

    Raises:
        RequirementError: its program is not on the PATH.
    """
    path = search_path(account, venv, unit.software.folders, unit.version)
    given = launch(unit, secrets).environment
    environment = {"PATH": path, "HOME": str(place.data), **passed(), **given, shim.VARIABLE: place.marker}
    words = tuple(finish(word) for word in argv)
    return Start((program(words[0], environment["PATH"]), *words[1:]), environment)


def write(
    place: UnitPlace, start: Start, path: Path, transport: Transport, account: Account, *, supervised: bool
) -> None:
    """Write the launch file that the shim reads: mode 0600, the account's own."""
    content = {"argv": start.argv, "environment": start.environment, "cwd": str(place.data)}
    if supervised:
        content |= {"marker": place.marker, "record": str(place.record)}
    with writing(path):
        transport.put(json.dumps(content).encode(), path, mode=0o600, account=account.switch)


def program(name: str, path: str) -> str:
    """The absolute path of a program.

    Raises:
        RequirementError: there is none.
    """
    found = shutil.which(name, path=path)
    if found is None or not Path(found).is_absolute():
        raise RequirementError(
            f"{name} is not on the PATH of the services ({path})",
            hint=f"Install {name}, then run the same command again.",
        )
    return found


def search_path(account: Account, venv: Path | None = None, patterns: tuple[str, ...] = (), version: str = "") -> str:
    """Where a service's programs are looked for: its environment, the system, what the account can read of our PATH.

    Then what ``patterns`` match: first the folders of ``version`` (``/usr/lib/postgresql/15/bin`` for 15.4), then the
    newest.
    """
    ours = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if Path(each).is_absolute()]
    private = {Path(sys.prefix) / "bin", Path(os.environ.get("VIRTUAL_ENV", sys.prefix)) / "bin"}
    major = _number(version)
    further = [(_number(each[p.find("*") :]), each) for p in patterns for each in glob.glob(p)]  # noqa: PTH207
    further.sort(key=lambda found: (found[0] != major, -found[0]))
    folders = [
        *([venv / "bin"] if venv else []),
        *map(Path, FIRST),
        *(each for each in ours if each not in private and account.may_list(each)),
        *(each for each in map(Path, LAST) if each.is_dir()),
        *(Path(each) for _, each in further if Path(each).is_dir()),
    ]
    return os.pathsep.join(dict.fromkeys(str(each) for each in folders if os.pathsep not in str(each)))


def passed() -> dict[str, str]:
    """What of our own environment a service needs: language, zone, certificates, proxies (never for loopback)."""
    found = {name: os.environ[name] for name in (*PASSED, *PROXIES) if os.environ.get(name)}
    if found.keys() & set(PROXIES):
        spared = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        found["no_proxy"] = found["NO_PROXY"] = ",".join(filter(None, (spared, LOOPBACK)))
    return found


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0
