"""A command with an engine: the one that the docker CLI would use, else one of our own, else none and why."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from tests.live.engine.cache import CACHE, HOME
from tests.live.engine.daemons import NoEngineError, answers, can_start
from tests.live.engine.keeping import kept

DEFAULT = "unix:///var/run/docker.sock"
CONTEXT = ("docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")


def found_host() -> str | None:
    """The engine that the docker CLI would use, where it answers."""
    host = os.environ.get("DOCKER_HOST") or DEFAULT
    if "DOCKER_HOST" not in os.environ and shutil.which("docker"):
        home = {**os.environ, "HOME": str(HOME)}
        said = subprocess.run(CONTEXT, capture_output=True, text=True, check=False, env=home)
        host = said.stdout.strip() or DEFAULT
    return host if answers(host, within_s=5) else None


@contextlib.contextmanager
def engine() -> Iterator[dict[str, str]]:
    """The variables that tell a command of the engine, or why there is none."""
    shared = {"MLOX_TEST_CACHE": str(CACHE)}
    if host := found_host():
        yield {**shared, "DOCKER_HOST": host}
        return
    with contextlib.ExitStack() as stack:
        try:
            can_start()
            found = {"DOCKER_HOST": stack.enter_context(kept())}
        except NoEngineError as error:
            print(f"tests on Docker will be skipped: {error}", file=sys.stderr)
            found = {"MLOX_TEST_NO_ENGINE": str(error)}
        yield {**shared, **found}


def run(argv: Sequence[str], *, ahead: bool = False) -> int:
    """Run a command with an engine; its exit status, where a signal ended it 128 more than that.

    Ctrl-C reaches the command from the terminal, and a SIGTERM or SIGHUP from here; in each case it is waited for.

    Args:
        ahead: have what tests will ask for made meanwhile, in the background.
    """
    with engine() as variables, contextlib.ExitStack() as stack:
        environment = {**os.environ, **variables}
        if ahead and "DOCKER_HOST" in variables:
            stack.enter_context(_making_ahead(environment))
        return _attend(argv, environment)


@contextlib.contextmanager
def _making_ahead(environment: Mapping[str, str]) -> Iterator[None]:
    """A process that makes images and programs at a low priority; what it has not begun at the end is left."""
    CACHE.mkdir(parents=True, exist_ok=True)
    mortal = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
    with (CACHE / "ahead.log").open("wb") as log:
        maker = subprocess.Popen(
            ("nice", "-n", "15", *mortal, sys.executable, "-m", "tests.live.engine", "ahead"),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(maker.pid, signal.SIGTERM)
        maker.wait()


def _attend(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Start a command, and wait for it whatever comes."""
    try:
        command = subprocess.Popen(argv, env=environment)
    except OSError as error:
        print(f"error: {argv[0]}: {error.strerror}", file=sys.stderr)
        return 127

    def pass_on(signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGINT:
            command.send_signal(signum)

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, pass_on)
    status = command.wait()
    return 128 - status if status < 0 else status
