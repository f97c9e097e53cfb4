"""What live tests of the whole work with: a folder, the real ``mlox`` in processes of its own, a look at what is left.

Services of root run as another account, therefore data homes are short folders in ``/tmp`` that others may go through.
Python environments are shared by the tests of a session, since stacks in one data home are apart by their ids.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from mlox.documents import load

T = TypeVar("T")
P = TypeVar("P", bound="Project")

MLOX = (sys.executable, "-m", "mlox")

PAGE = """\
name: {name}
version: "3"
summary: a page of our own
secrets: {{token: {{generate: 24}}}}
options:
  patience: {{type: number, default: 0, help: seconds before it listens}}
  text: {{default: ours, help: what it says}}
ports: {{http: {{port: {port}, scheme: http}}}}
data: {{data: {{}}}}
units:
  server:
    native:
      {software}
      command: [python3, "${{dir.config}}/page.py", "${{port.http}}", "${{option.patience}}", "${{option.text}}"]
    environment: {{TOKEN: "${{secret.token}}"}}
    files:
      page.py:
        content: |
          import http.server, os, sys, time
          {code}
          class Page(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  self.send_response(200)
                  self.end_headers()
                  self.wfile.write(sys.argv[3].encode())
          time.sleep(float(sys.argv[2]))
          http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
    probe: {{http: {{port: http}}, start_timeout_s: {wait}}}
    stop_grace_period_s: 2
"""
SYSTEM = "binary: {name: python3, version_argv: [python3, --version], version_pattern: 'Python (.*)'}"
LEAK = "print('my token is', os.environ['TOKEN'], 'indeed', flush=True)"


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    def error(self) -> dict[str, str]:
        """The one JSON object of a failure; standard output is empty."""
        assert self.out == ""
        value: dict[str, str] = json.loads(self.err)["error"]
        return value


def told_where(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a command said that does not end, with where each Python below it was (faulthandler); all of them end."""
    top = psutil.Process(process.pid)
    for each in (*top.children(recursive=True), top):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGABRT)
    return process.communicate(timeout=30)


@dataclass
class Project:
    """A folder in which somebody works with mlox; a command may take ``patience_s`` seconds."""

    folder: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    patience_s: float = 900.0

    def process(self, *argv: str, **settings: Any) -> subprocess.Popen[str]:
        """A command of the user, in a session of its own."""
        variables = {**os.environ, "PYTHONFAULTHANDLER": "1", "MLOX_DATA_HOME": str(self.home), **self.environment}
        return subprocess.Popen(
            argv,
            cwd=self.folder,
            env=variables,
            text=True,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings},
        )

    def run(self, *argv: str, stdin: str = "") -> Said:
        """A command of the user, to its end."""
        process = self.process(*argv, stdin=subprocess.PIPE)
        try:
            out, err = process.communicate(stdin, timeout=self.patience_s)
        except subprocess.TimeoutExpired:
            out, err = told_where(process)
            raise AssertionError(f"no end in {self.patience_s:g} s: {argv}\n{out[-3000:]}\n{err[-20000:]}") from None
        return Said(process.returncode, out, err)

    def mlox(self, *words: str, stdin: str = "") -> Said:
        """``mlox`` with these words; whatever it comes to, there is no traceback and no defect."""
        said = self.run(*MLOX, *words, stdin=stdin)
        assert "Traceback" not in said.err, said.err
        assert "a defect in mlox" not in said.err, said.err
        return said

    def done(self, *words: str, stdin: str = "") -> str:
        """The output of ``mlox`` with these words, which must succeed."""
        said = self.mlox(*words, stdin=stdin)
        assert said.code == 0, f"mlox {' '.join(words)}: {said}"
        return said.out

    def json(self, *words: str) -> dict[str, Any]:
        """The object that ``mlox --json`` prints, which must succeed."""
        value: dict[str, Any] = json.loads(self.done(*words, "--json"))
        return value

    def python(self, code: str) -> Said:
        """A new Python process of the user."""
        return self.run(sys.executable, "-c", code)

    def row(self, name: str) -> dict[str, Any]:
        """A service's row of ``status``."""
        (row,) = (row for row in self.json("status")["services"] if row["name"] == name)
        return dict(row)

    def write_page(
        self, name: str = "page", *, code: str = LEAK, port: int = 18200, wait: int = 30, packages: str = ""
    ) -> None:
        """A catalog service in the workspace: a page whose program does ``code`` first."""
        software = f"python: {{packages: [{packages}]}}" if packages else SYSTEM
        text = PAGE.format(name=name, code=code, port=port, wait=wait, software=software)
        folder = self.folder / "services"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text)

    def runs(self, word: str) -> list[psutil.Process]:
        """The processes of the stack's services that have ``word`` in their command."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if any(word in each for each in process.cmdline()):
                    found.append(process)
        return found

    @property
    def id(self) -> str:
        """The stack's id, as it is written."""
        written = load((self.folder / "mlox.yaml").read_text(), source="mlox.yaml")
        assert isinstance(written, dict)
        return str(written["id"])

    @property
    def data(self) -> Path:
        """Where the stack's data lies."""
        return self.home / self.id

    def processes(self) -> list[psutil.Process]:
        """The processes of the stack's services and of its supervisor."""
        return processes_of(self.home, self.id)

    def password(self, service: str, secret: str = "password") -> str:
        """A service's password, as its owner would ask for it."""
        return self.done("secrets", "get", f"{service}.{secret}", "--reveal").strip()


def processes_of(home: Path, stack: str) -> list[psutil.Process]:
    """Everything that was started for a stack: by its marker, its folder as cwd, or a path on its command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            told = process.environ().get("MLOX_UNIT", "").startswith(f"{stack}/")
            folder = str(home / stack)
            inside = any(place == folder or place.startswith(f"{folder}/") for place in (process.cwd(),))
            named = any(folder in word for word in process.cmdline())
            if told or inside or named:
                found.append(process)
    return found


@contextlib.contextmanager
def data_home() -> Iterator[Path]:
    """A data home of one's own, that the account of services may go through."""
    folder = Path(tempfile.mkdtemp(prefix="mlox-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def project(folder: Path, home: Path, **environment: str) -> Iterator[Project]:
    """A project in an empty folder; at the end nothing of its stack may be left, however the test ended."""
    with worked_in(Project(folder, home, environment)) as made:
        yield made


@contextlib.contextmanager
def worked_in(made: P) -> Iterator[P]:
    """The same for a project of any kind."""
    folder, home = made.folder, made.home
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield made
    finally:
        if (folder / "mlox.yaml").exists():
            identity = made.id
            said = made.mlox("down", "--purge", "-y")
            left = processes_of(home, identity)
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            assert said.code == 0, said
            assert not left
            assert not list((home / identity).glob("services/*"))


def until(look: Callable[[], T], patience_s: float = 30.0, *, rest_s: float = 0.05) -> T:
    """What ``look`` answers as soon as it is something; it rests between two looks."""
    deadline = time.monotonic() + patience_s
    while not (answer := look()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s for {look}"
        time.sleep(rest_s)
    return answer


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, as a terminal sends it: to the whole process group."""
    os.killpg(process.pid, signal.SIGINT)


def snapshot(*folders: Path) -> dict[str, tuple[int, float, bytes]]:
    """Every file below the folders: its mode, when it was changed, and its content.

    Of an environment only what lies at its top, and when that changed: below are gigabytes in a hundred thousand files.
    """
    seen = {}
    for top in folders:
        for name, below, files in os.walk(top):
            folder = Path(name)
            for path in (folder / each for each in (*below, *files)):
                found = path.lstat()
                content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
                changed = found.st_mtime if path.is_file() or _is_in_environment(path) else 0.0
                seen[str(path)] = (found.st_mode, changed, content)
            if _is_in_environment(folder):
                below.clear()
    return seen


def _is_in_environment(path: Path) -> bool:
    return path.parent.name == "environments"
