"""What a supervisor is told, in its ini format (http://supervisord.org/configuration.html)."""

from __future__ import annotations

import math
import os
import shlex
from pathlib import Path

from mlox.backends.native.account import Account
from mlox.backends.native.layout import Place, UnitPlace
from mlox.units import Unit

START_RETRIES = 5

_RESTART = {"no": "false", "on-failure": "unexpected"}


def entry(unit: Unit, python: Path, account: Account, place: UnitPlace) -> str:
    """The supervisor's section for one unit.

    It starts nothing by itself: a supervisor that comes back for one unit must not bring up its neighbours unasked.
    Its paths are relative to the stack's folder, where the supervisor stands: no name of a folder has to be quoted.
    """
    program = os.path.relpath(python, place.stack.folder) if place.stack.home in python.parents else str(python)
    command = shlex.join((program, "-I", "-S", "shim.py", f"launch/{place.key}.json"))
    options = {
        "command": command.replace("%", "%%"),
        "autostart": "false",
        "autorestart": _RESTART.get(unit.restart, "true"),
        "startsecs": "1",
        "startretries": "0" if unit.restart == "no" else str(START_RETRIES),
        "stopsignal": unit.stop_signal.removeprefix("SIG"),
        "stopwaitsecs": str(math.ceil(unit.stop_grace_s)),
        "stopasgroup": "true",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": f"logs/{place.key}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
        **({"user": account.name} if account.other else {}),
    }
    return _section(f"program:{place.key}", options)


def head(place: Place) -> str:
    """The supervisor's own sections."""
    near = place.socket.parent == place.supervisor
    factory = "supervisor.rpcinterface:make_main_rpcinterface"
    own = {
        "logfile": "supervisor/supervisord.log",
        "logfile_maxbytes": "1MB",
        "logfile_backups": "1",
        "pidfile": "supervisor/supervisord.pid",
        "childlogdir": "logs",
        "nocleanup": "true",
        "umask": "077",
        **({"user": "root"} if os.geteuid() == 0 else {}),
    }
    address = "supervisor/supervisor.sock" if near else str(place.socket)
    return (
        _section("unix_http_server", {"file": address, "chmod": "0600"})
        + _section("supervisord", own)
        + _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": factory})
    )


def _section(name: str, options: dict[str, str]) -> str:
    return "".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in options.items())])
