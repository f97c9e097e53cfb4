"""What every transport must do: one row of TRANSPORTS makes a transport run all of it."""

from __future__ import annotations

import os
import pwd
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mlox.errors import CommandError
from mlox.protocols import Transport
from mlox.transports.local import LocalTransport

TRANSPORTS: dict[str, Callable[[], Transport]] = {"local": LocalTransport}

PYTHON = sys.executable


@pytest.fixture(params=sorted(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    return TRANSPORTS[request.param]()


def test_a_command_answers_its_exit_code_and_both_outputs(transport: Transport) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = transport.run((PYTHON, "-c", code))
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_an_argument_is_no_shell_text(transport: Transport) -> None:
    words = ("a b", "$HOME", "`id`", "'\"", ";", "*")
    done = transport.run((PYTHON, "-c", "import sys; print(sys.argv[1:])", *words))
    assert done.stdout.strip() == str(list(words))


def test_input_arrives_as_it_is(transport: Transport) -> None:
    done = transport.run((PYTHON, "-c", "import sys; print(len(sys.stdin.buffer.read()))"), input=b"\0\xff" * 200_000)
    assert done.stdout == "400000\n"


def test_without_input_a_command_reads_nothing(transport: Transport) -> None:
    assert transport.run(("cat",), timeout_s=5).stdout == ""


def test_output_that_is_no_text_does_not_fail(transport: Transport) -> None:
    assert "\ufffd" in transport.run((PYTHON, "-c", "import sys; sys.stdout.buffer.write(b'\\xff')")).stdout


def test_the_environment_is_added_to(transport: Transport) -> None:
    code = "import os; print(os.environ['MLOX_TEST_MORE'], bool(os.environ['PATH']))"
    assert transport.run((PYTHON, "-c", code), environment={"MLOX_TEST_MORE": "x=1 2"}).stdout == "x=1 2 True\n"


def test_a_program_that_is_not_there_is_a_command_error(transport: Transport) -> None:
    with pytest.raises(CommandError) as caught:
        transport.run(("no-such-program-of-mlox", "--version"))
    assert "no-such-program-of-mlox" in caught.value.problem
    assert "Install no-such-program-of-mlox" in (caught.value.hint or "")


def test_a_command_that_takes_too_long_is_ended_with_its_children(transport: Transport, tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
        "print('the last word', flush=True)\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    with pytest.raises(CommandError, match="took longer than 1 s and was ended") as caught:
        transport.run((PYTHON, "-c", code, str(child)), timeout_s=1)
    assert time.monotonic() - began < 8
    assert "the last word" in caught.value.problem
    assert not _alive(int(child.read_text()))


def test_what_runs_can_be_aborted_from_another_thread(transport: Transport) -> None:
    caught: list[CommandError] = []

    def wait() -> None:
        try:
            transport.run(("sleep", "61.5"), timeout_s=30)
        except CommandError as error:
            caught.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    _until(lambda: _running("61.5"))
    transport.abort()
    waiter.join(5)
    assert "was ended on request" in caught[0].problem
    assert not _running("61.5")
    assert transport.run(("echo", "still there")).stdout == "still there\n"


def test_lines_come_while_the_command_runs(transport: Transport) -> None:
    code = "import time\nfor word in ('one', 'two'): print(word, flush=True)\ntime.sleep(62.5)"
    lines = transport.stream((PYTHON, "-c", code))
    assert [next(lines), next(lines)] == ["one", "two"]
    assert _running("62.5")
    lines.close()  # type: ignore[attr-defined]  # an iterator made by a generator
    assert not _running("62.5")


def test_a_stream_that_fails_says_so_after_its_lines(transport: Transport) -> None:
    lines = transport.stream((PYTHON, "-c", "import sys; print('one', flush=True); sys.exit('no more')"))
    assert next(lines) == "one"
    with pytest.raises(CommandError, match="no more"):
        next(lines)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_has_exactly_its_mode_whatever_the_umask(transport: Transport, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a file"
    path.write_text("old")
    path.chmod(0o666)
    before = os.umask(0o077)
    try:
        transport.put(b"new", path, mode=mode)
    finally:
        os.umask(before)
    assert (path.stat().st_mode & 0o7777, transport.get(path)) == (mode, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["a file"]


def test_a_reader_sees_the_old_content_or_the_new(transport: Transport, tmp_path: Path) -> None:
    path = tmp_path / "file"
    old, new = b"o" * 300_000, b"n" * 300_000
    transport.put(old, path, mode=0o600)
    seen: set[bytes] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.add(transport.get(path))

    reader = threading.Thread(target=read)
    reader.start()
    for content in (new, old) * 20:
        transport.put(content, path, mode=0o600)
    ended.set()
    reader.join()
    assert seen <= {old, new}


def test_a_link_is_replaced_and_not_followed(transport: Transport, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("untouched")
    link.symlink_to(target)
    transport.put(b"new", link, mode=0o600)
    assert (target.read_text(), link.is_symlink(), transport.get(link)) == ("untouched", False, b"new")


def test_a_failing_write_leaves_nothing_behind(transport: Transport, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        transport.put(b"new", folder, mode=0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_missing_file_is_not_found(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        transport.get(tmp_path / "nothing")


@pytest.mark.live
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as another account")
def test_as_another_account_nothing_of_this_process_is_known(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter22")
    code = "import os; print(os.getuid(), os.getgroups(), os.environ.get('OPENAI_API_KEY'), os.environ['MORE'])"
    done = transport.run(("/usr/bin/python3", "-c", code), account="nobody", environment={"MORE": "x"})
    nobody = pwd.getpwnam("nobody")
    assert done.stdout == f"{nobody.pw_uid} [{nobody.pw_gid}] None x\n"
    path = tmp_path / "theirs"
    transport.put(b"x", path, mode=0o600, account="nobody")
    assert path.stat().st_uid == nobody.pw_uid


def test_an_unknown_account_is_a_command_error(transport: Transport) -> None:
    with pytest.raises(CommandError, match="no-such-account"):
        transport.run(("true",), account="no-such-account")


def _running(word: str) -> bool:
    """Whether a command of ours with this word in it lives."""
    children = psutil.Process().children(recursive=True)
    return any(_mentions(child, word) for child in children)


def _mentions(process: psutil.Process, word: str) -> bool:
    try:
        return any(word in each for each in process.cmdline())
    except psutil.Error:
        return False


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
