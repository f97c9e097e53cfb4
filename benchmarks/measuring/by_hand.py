"""MLflow as somebody would start it by hand: an environment by uv, a configuration, the server, a wait for /health.

Which package, flags, variables and files: those of mlox's catalog entry, so that both sides always do the same.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from measuring.deployment import free_port, listens
from measuring.environments import PROJECT, environment, uv

ENTRY: Any = YAML(typ="safe", pure=True).load(PROJECT / "mlox" / "catalog" / "services" / "mlflow.yaml")
PASSED = re.compile(r"LANG|LC_ALL|TZ|SSL_CERT_\w+|\w+_CA_BUNDLE|https?_proxy|no_proxy", re.IGNORECASE)
POLL_S = 0.1
PATIENCE_S = 180.0
END_S = 15.0


@dataclass(frozen=True)
class Account:
    """The owner of a folder that mlox made for a service: as whom the server has to run here too."""

    uid: int
    gid: int

    @classmethod
    def of(cls, folder: Path) -> Account:
        seen = folder.stat()
        return cls(seen.st_uid, seen.st_gid)


@dataclass(frozen=True)
class ByHand:
    """One environment, and servers from it, one at a time."""

    environment: Path
    interpreter: Path
    account: Account

    def install(self) -> None:
        """Make the environment; uv chooses the versions."""
        unit = ENTRY["units"]["server"]["native"]["python"]
        packages = [_filled(package, {"version": ENTRY["version"]}) for package in unit["packages"]]
        uv("venv", "--no-project", "--python", str(self.interpreter), str(self.environment))
        python = str(self.environment / "bin" / "python")
        uv("pip", "install", "--python", python, "--compile-bytecode", *packages)

    def start(self, home: Path) -> subprocess.Popen[bytes]:
        """Start a server with its data below ``home``; returns when it is healthy."""
        port = free_port()
        values = self._values(home, port)
        unit = ENTRY["units"]["server"]
        for folder in (home, *(home / name for name in ("config", "data", "artifacts"))):
            folder.mkdir(mode=0o700)
            self._give(folder)
        for name, file in unit["files"].items():
            path = home / "config" / name
            path.write_text(_filled(file["content"], values))
            path.chmod(0o600)
            self._give(path)
        given = {name: _filled(value, values) for name, value in unit["environment"].items()}
        passed = {name: value for name, value in environment().items() if PASSED.fullmatch(name)}
        path = f"{self.environment / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        other = self.account.uid != os.geteuid()
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [_filled(word, values) for word in unit["native"]["command"]],
                executable=self.environment / "bin" / unit["native"]["command"][0],
                env={**passed, **given, "PATH": path, "HOME": str(home)},
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=0o077,
                start_new_session=True,
                user=self.account.uid if other else None,
                group=self.account.gid if other else None,
                extra_groups=[] if other else None,
            )
        try:
            _await_health(process, port, unit["probe"]["http"]["path"])
            assert listens(port, home.parent), f"somebody else listens on port {port}"
        except BaseException:
            print((home / "server.log").read_text(errors="replace"))
            end(process)
            raise
        return process

    def _give(self, path: Path) -> None:
        if self.account.uid != os.geteuid():
            os.chown(path, self.account.uid, self.account.gid)

    def _values(self, home: Path, port: int) -> dict[str, str]:
        return {
            "version": ENTRY["version"],
            "port.http": str(port),
            **{f"dir.{name}": str(home / name) for name in ("config", "data", "artifacts")},
            "need.database.url": f"sqlite:///{home}/data/mlflow.db",
            "need.artifacts.url": str(home / "artifacts"),
            **{f"option.{name}": str(option["default"]) for name, option in ENTRY["options"].items()},
            **{
                f"secret.{name}": secrets.token_hex(secret["generate"] // 2)
                for name, secret in ENTRY["secrets"].items()
            },
        }


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server with its whole process group, which is its own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sign)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                continue


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], text)


def _await_health(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _healthy(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server by hand is not healthy (exit code {process.poll()})")
        time.sleep(POLL_S)


def _healthy(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
