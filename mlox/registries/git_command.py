"""How git is run on what strangers wrote: bounded, asking nobody, with nothing of theirs carried out."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from mlox.errors import RequirementError, WorkspaceError
from mlox.secret import Secret

MAX_REPOSITORY = 200_000_000
_BLOCK = 512  # what `ulimit -f` counts in, by POSIX
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.bigFileThreshold": "1m",
    "core.fsmonitor": "false",
    "fetch.fsckObjects": "true",
    "fetch.unpackLimit": "1",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "false",
    "submodule.recurse": "false",
}
_TOO_LARGE = ("File too large", "signal 25", "signal 31")
_ENDED = "fatal: fetch-pack: invalid index-pack output"
"""All that git says where `ulimit -f` ended the process that it had started."""
_OF_A_REPOSITORY = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS"),
)
"""What a git hook, in which we may run, sets for its own repository."""


def run_git(
    folder: Path | None,
    *argv: str,
    name: str,
    timeout_s: float,
    limit: int = 1_000_000,
    may_fail: bool = False,
    token: Secret | None = None,
    url: str = "",
) -> bytes | None:
    """What a command of git writes; None where it fails and may.

    ``token`` goes to the host of ``url``, in the environment: others can read a process's arguments.

    Raises:
        RequirementError: there is no git.
        WorkspaceError: it failed, wrote more than ``limit`` bytes, or took longer than ``timeout_s`` seconds.
    """
    blocks = MAX_REPOSITORY // _BLOCK
    inside = () if folder is None else ("--git-dir", str(folder))
    command = ("sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", "git", *inside, *argv)
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(token, url, name),
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            raise RequirementError(f"sh cannot be run: {error.strerror}", hint="Put it on the PATH.") from error
        content, late = _read(process, limit, timeout_s)
        errors.seek(0)
        said = errors.read(10_000).decode("utf-8", "replace")
    return _judged(process.returncode, content, late, said, argv[0], name, limit, may_fail)


def _read(process: subprocess.Popen[bytes], limit: int, timeout_s: float) -> tuple[bytes, bool]:
    """What it writes, and whether it was ended since time was over. It never outlives this."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    stdout: IO[bytes] = process.stdout or open(os.devnull, "rb")  # noqa: PTH123, SIM115 - there is a pipe
    try:
        with stdout:
            content = stdout.read(limit + 1)
            if len(content) > limit:
                _kill(process)
        process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            _kill(process)
            process.wait()
    return content, late.is_set()


def _judged(
    code: int, content: bytes, late: bool, said: str, verb: str, name: str, limit: int, may_fail: bool
) -> bytes | None:
    if late:
        raise WorkspaceError(f"{name}: git {verb} took too long", hint="Try again later.")
    if len(content) > limit:
        raise WorkspaceError(
            f"{name}: git {verb} gives more than {limit:,} bytes", hint="Name a folder of it: #FOLDER."
        )
    if code == 127:
        raise RequirementError(f"{name} needs git, which is not on the PATH", hint="Install git.")
    if code == 0:
        return content
    if may_fail:
        return None
    if (
        code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ)
        or any(word in said for word in _TOO_LARGE)
        or said.strip() == _ENDED
    ):
        raise WorkspaceError(
            f"{name}: the repository has more than {MAX_REPOSITORY:,} bytes",
            hint="Keep components in one of their own.",
        )
    lines = [_printable(line) for line in said.splitlines() if line.strip()][-3:]
    raise WorkspaceError(
        "\n  ".join([f"{name}: git {verb} failed:", *(lines or [f"exit code {code}"])]),
        hint="Look whether the repository is still there, and whether you may read it.",
    )


def _environment(token: Secret | None, url: str, name: str) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if key not in _OF_A_REPOSITORY}
    environment |= {
        "GIT_ALLOW_PROTOCOL": "file:https:ssh" + (":http" if url.startswith("http://") else ""),
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
    settings = dict(_SETTINGS)
    if token is not None:
        parts = urlsplit(url)
        text = token.reveal()
        if not text.isascii() or not text.isprintable():
            raise WorkspaceError(f"{name}: the token has a character that no token has", hint="Look at how it is set.")
        pair = base64.b64encode(f"x-access-token:{text}".encode()).decode()
        settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {pair}"
    given = environment.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdigit() else 0
    for number, (key, value) in enumerate(settings.items(), first):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment | {"GIT_CONFIG_COUNT": str(first + len(settings))}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _printable(line: str) -> str:
    return "".join(c for c in line if c.isprintable())[:300]
