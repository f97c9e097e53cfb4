"""`mlox exec` for real: inside a service, with its account and environment; in a terminal; and nothing stays behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.support import MLOX, Project, data_home, project, until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("exec")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with a redis and a page, which run."""
    with data_home() as home, project(tmp_path_factory.mktemp("exec") / "shop", home) as made:
        made.write_page(port=18231)
        made.done("up", "redis", "page")
        yield made


def test_a_client_finds_its_password_in_the_environment(shop: Project) -> None:
    port = shop.row("redis")["ports"]["redis"].rpartition(":")[2]
    assert shop.done("exec", "redis", "--", "redis-cli", "-p", port, "ping") == "PONG\n"
    piped = shop.done("exec", "redis", "--", "redis-cli", "-p", port, stdin="SET a 1\nGET a\n")
    assert piped == "OK\n1\n"


def test_it_is_where_the_service_is_and_as_whom(shop: Project) -> None:
    code = "import os; print(os.getcwd(), os.getuid(), os.environ['MLOX_UNIT'].endswith('#aside'))"
    folder, user, aside = shop.done("exec", "page", "--", "python3", "-c", code).split()
    (running,) = shop.runs("page.py")
    assert (Path(folder), int(user), aside) == (shop.data / "services" / "page", running.uids().real, "True")


def test_secrets_are_masked_on_both_streams_and_in_no_process_list(shop: Project) -> None:
    token = shop.password("page", "token")
    code = (
        "import os, subprocess, sys\n"
        "listed = subprocess.run(['ps', '-axww', '-o', 'command'], capture_output=True, text=True).stdout\n"
        "print(os.environ['TOKEN'], flush=True)\n"
        "print(os.environ['TOKEN'], file=sys.stderr)\n"
        "sys.exit(7 if os.environ['TOKEN'] in listed else 5)\n"
    )
    said = shop.mlox("exec", "page", "--", "python3", "-c", code)
    assert (said.code, said.out, said.err) == (5, "***\n", "***\n")
    assert token not in said.out + said.err


def test_output_comes_while_the_command_runs(shop: Project) -> None:
    words = ("exec", "page", "--", "sh", "-c", "echo first; cat; echo last")
    process = shop.process(*MLOX, *words, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "first\n"
    out, _ = process.communicate("second\n", timeout=30)
    assert (out, process.returncode) == ("second\nlast\n", 0)


def test_what_a_command_leaves_in_the_background_is_not_waited_for(shop: Project) -> None:
    said = shop.mlox("exec", "page", "--", "sh", "-c", "sleep 3600 & echo done")
    assert (said.code, said.out) == (0, "done\n")
    (left,) = shop.runs("3600")
    left.kill()


def test_an_interrupt_ends_the_command(shop: Project) -> None:
    process = shop.process(*MLOX, "exec", "page", "--", "sh", "-c", "echo begun; exec sleep 3601")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    until(lambda: not shop.runs("3601"))


def test_missing_programs_and_services_that_do_not_run(shop: Project) -> None:
    said = shop.mlox("exec", "page", "--", "no-such-program-of-mlox")
    assert said.code == 127
    assert said.err == "mlox: no-such-program-of-mlox cannot be run: No such file or directory\n"
    shop.done("down", "page")
    assert shop.mlox("exec", "page", "--", "env").err.startswith("error: page does not run\n")
    shop.done("up", "page")


def test_in_a_terminal_the_command_has_the_terminal(shop: Project) -> None:
    """Ctrl-C is the command's, which goes on; mlox waits for its end."""
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: print('caught', flush=True))\n"
        "print('tty', sys.stdin.isatty(), os.environ['TERM'], flush=True)\n"
        "while (line := sys.stdin.readline()) != 'end\\n':\n"
        "    print('read', line, flush=True)\n"
        "sys.exit(9)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(shop.folder)
        variables = {**os.environ, "MLOX_DATA_HOME": str(shop.home), "TERM": "vt100"}
        variables.pop("JPY_PARENT_PID", None)
        os.execve(sys.executable, [*MLOX, "exec", "page", "--", "python3", "-c", code], variables)  # noqa: S606
    seen: list[bytes] = []

    def read() -> None:
        while True:
            try:
                seen.append(os.read(terminal, 4096))
            except OSError:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    until(lambda: b"tty True vt100" in b"".join(seen))
    os.write(terminal, b"\x03")
    until(lambda: b"caught" in b"".join(seen))
    os.write(terminal, b"hello\n")
    until(lambda: b"read hello" in b"".join(seen))
    os.write(terminal, b"end\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    os.close(terminal)
