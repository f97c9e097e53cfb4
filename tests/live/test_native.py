"""Whether native units survive what real machines do to them: killed processes, dead supervisors, odd folders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlox.backends.native import NativeBackend, interpreter, supervisor
from mlox.errors import RequirementError, ServiceError
from mlox.protocols import Program, Question, silent
from mlox.transports.local import LocalTransport
from mlox.units import File, Job, Probe, SecretRef, Software, Unit
from tests.live.native_stage import PASSWORD, ROOT, STACK, Stage, alive, free_port, stage, until

pytestmark = pytest.mark.live

as_root = pytest.mark.skipif(not ROOT, reason="only root runs services as another account")


@pytest.fixture
def here() -> Iterator[Stage]:
    with stage() as made:
        yield made


def redis(here: Stage, stack: str = STACK) -> Unit:
    """A real redis with a password, asked through its own client."""
    port = free_port()
    folder = here.data("cache", stack)
    lines = ("bind 127.0.0.1", f"port {port}", f'dir "{folder}/data"', "requirepass ${secret.password}")
    return here.unit(
        ("redis-server", f"{folder}/config/redis.conf"),
        service="cache",
        stack=stack,
        binary="redis-server",
        port=port,
        directories=("config", "data"),
        environment=(("REDISCLI_AUTH", "${secret.password}"),),
        secrets=(SecretRef("password", "cache.password", "v1", 24),),
        probe=Probe("exec", argv=("redis-cli", "-p", str(port), "-e", "ping")),
        files=(File(f"{folder}/config/redis.conf", "\n".join(lines)),),
    )


def get(unit: Unit, path: str = "") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{unit.ports[0].number}/{path}", timeout=5) as answer:
        return str(answer.read().decode())


def child_of(here: Stage, unit: Unit) -> int:
    return int(here.logs(unit).rpartition("child ")[2].split()[0])


def listening(unit: Unit) -> set[int]:
    number = unit.ports[0].number
    found = psutil.net_connections("tcp")
    return {c.pid for c in found if c.laddr and c.laddr.port == number and c.status == "LISTEN" and c.pid}


def test_a_killed_process_runs_again(here: Stage) -> None:
    unit = redis(here)
    first = here.up(unit, password=PASSWORD)
    os.kill(first, signal.SIGKILL)
    until(lambda: here.seen(unit).pid not in (None, first) and here.backend.probe(unit).healthy)
    assert here.seen(unit).restarts == 1
    assert not alive(first)


@pytest.mark.parametrize("setsid", [False, True])
def test_a_killed_parent_that_leaves_a_child_on_its_port_heals(here: Stage, setsid: bool) -> None:
    unit = here.family(setsid=setsid)
    parent = here.up(unit)
    child = child_of(here, unit)
    assert listening(unit) == {child}
    os.kill(parent, signal.SIGKILL)
    until(lambda: not alive(child))
    until(lambda: here.backend.probe(unit).healthy)
    assert here.seen(unit).restarts == 1


@pytest.mark.parametrize("make", [redis, Stage.family], ids=["redis", "family"])
def test_a_killed_supervisor_leaves_orphans_that_the_next_start_takes_over(
    here: Stage, make: Callable[[Stage], Unit]
) -> None:
    unit = make(here)
    first = here.up(unit, password=PASSWORD)
    here.supervisor().kill()
    until(lambda: here.seen(unit).state == "orphaned")
    there = here.seen(unit)
    assert there.pid == first
    assert "without its supervisor" in there.note
    second = here.up(unit, password=PASSWORD)
    assert second != first
    assert not alive(first)
    assert len(listening(unit)) == 1
    assert psutil.Process(second).ppid() == here.supervisor().pid


@pytest.mark.parametrize("make", [redis, Stage.family], ids=["redis", "family"])
def test_orphans_can_be_stopped(here: Stage, make: Callable[[Stage], Unit]) -> None:
    unit = make(here)
    pid = here.up(unit, password=PASSWORD)
    here.supervisor().kill()
    until(lambda: here.seen(unit).state == "orphaned")
    here.stop(unit)
    assert not alive(pid)
    assert listening(unit) == set()
    assert here.seen(unit).state == "stopped"


def test_after_a_reboot_services_wait_for_the_next_start(here: Stage) -> None:
    unit = redis(here)
    pid = here.up(unit, password=PASSWORD)
    here.supervisor().kill()
    os.kill(pid, signal.SIGKILL)
    until(lambda: here.seen(unit).state == "stopped")
    assert "after a reboot" in here.seen(unit).note
    assert here.up(unit, password=PASSWORD) != pid


def test_a_supervisor_that_hangs_does_not_hang_us(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ANSWER_S", 0.5)
    unit = here.server()
    pid = here.up(unit)
    hung = here.supervisor()
    hung.suspend()
    assert here.seen(unit).state == "orphaned"
    here.stop(unit)
    assert not alive(pid)
    assert not alive(hung.pid)
    assert here.up(unit) != pid


@pytest.mark.parametrize("setsid", [False, True])
def test_stop_ends_every_process_of_a_unit(here: Stage, setsid: bool) -> None:
    unit = here.family(setsid=setsid)
    parent = here.up(unit)
    child = child_of(here, unit)
    here.stop(unit)
    assert (alive(parent), alive(child)) == (False, False)
    assert here.processes() == []


def test_a_process_that_ignores_its_stop_signal_is_killed_after_its_grace(here: Stage) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(99)"
    )
    unit = here.unit(("python3", "-c", code), stop_grace_s=1)
    here.start(unit)
    until(lambda: "deaf" in here.logs(unit))
    began = time.monotonic()
    here.stop(unit)
    assert 0.9 < time.monotonic() - began < 6
    assert here.processes() == []


def test_the_supervisor_goes_with_the_last_unit(here: Stage) -> None:
    one, two = here.server(service="one"), here.server(service="two")
    here.up(one)
    here.up(two)
    daemon = here.supervisor()
    here.stop(one)
    assert alive(daemon.pid)
    here.stop(two)
    assert not alive(daemon.pid)


def test_a_process_that_keeps_dying_is_dead_even_where_somebody_else_answers_on_its_port(here: Stage) -> None:
    port = free_port()
    code = "import sys; print('no such database'); sys.exit(7)"
    dying = here.unit(("python3", "-c", code), service="late", probe=Probe("tcp", port="http"), port=port)
    here.start(dying)
    other = here.server(service="other", port=port)
    here.up(other)
    until(lambda: here.backend.probe(dying).dead)
    health = here.backend.probe(dying)
    assert not health.healthy
    assert "exit status 7" in health.detail
    assert "no such database" in here.logs(dying)


def test_secrets_are_in_the_launch_file_alone(here: Stage) -> None:
    unit = redis(here)
    here.up(unit, password=PASSWORD)
    commands = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    assert [command for command in commands if PASSWORD in command] == []
    holders = {
        str(path.relative_to(here.home / STACK))
        for path in (here.home / STACK).rglob("*")
        if path.is_file() and PASSWORD in path.read_text(errors="replace")
    }
    assert holders == {"launch/cache.server.json", "services/cache/config/redis.conf"}
    for name in holders:
        assert (here.home / STACK / name).stat().st_mode & 0o777 == 0o600
    here.stop(unit)
    assert not (here.home / STACK / "launch" / "cache.server.json").exists()


def test_the_environment_of_the_caller_reaches_neither_service_nor_supervisor(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter22")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "intern.example")
    unit = here.server(environment=(("GREETING", "caf\u00e9 $$5 %d ${secret.word}"),))
    pid = here.up(unit, word="hunter22")
    for process in (psutil.Process(pid), here.supervisor()):
        assert "sk-hunter22" not in str(process.environ())
    given = psutil.Process(pid).environ()
    assert "PYTHONPATH" not in given
    assert given["https_proxy"] == "http://proxy.example:3128"
    assert given["no_proxy"] == "intern.example,localhost,127.0.0.1,::1"
    assert given["HOME"] == here.data("web")
    assert get(unit, "GREETING") == "caf\u00e9 $5 %d hunter22"


@as_root
def test_services_run_as_an_account_that_can_read_only_its_own(here: Stage) -> None:
    code = (
        "import os, sys\n"
        "def may(path, mode):\n"
        "    try: open(path, mode).close()\n"
        "    except OSError as e: return type(e).__name__\n"
        "    return True\n"
        "print('uid', os.getuid() == os.geteuid() != 0, flush=True)\n"
        "print('umask', oct(os.umask(0)), flush=True)\n"
        "print('own', may('data/own', 'w'), flush=True)\n"
        "for path in sys.argv[1:]: print(path, may(path, 'rb'), flush=True)\n"
        "import time; time.sleep(99)\n"
    )
    top = here.home / STACK
    closed = (
        "supervisor/supervisord.conf",
        "supervisor/supervisor.sock",
        "units/web.server.json",
        "logs/web.server.log",
    )
    unit = here.unit(("python3", "-c", code, *(str(top / each) for each in closed)))
    here.start(unit)
    lines = until(lambda: found if len(found := here.logs(unit).splitlines()) == 7 else None) or []
    assert lines[:3] == ["uid True", "umask 0o77", "own True"]
    assert [line.split()[-1] for line in lines[3:]] == ["PermissionError"] * 4
    with pytest.raises(PermissionError):
        _as_nobody((top / "launch" / "web.server.json").read_bytes)


def test_two_stacks_live_side_by_side(here: Stage) -> None:
    one, two = redis(here), redis(here, "other-0001")
    pids = {here.up(one, password=PASSWORD), here.up(two, password="another-password")}
    assert len(pids) == 2
    assert here.supervisor().pid != here.supervisor("other-0001").pid
    here.stop(one, purge=True)
    assert here.backend.probe(two).healthy
    assert [path.name for path in here.home.iterdir()] == ["other-0001"]


def test_the_same_stack_in_another_data_home_is_another_stack(here: Stage) -> None:
    unit = here.server()
    pid = here.up(unit)
    with stage() as there:
        twin = there.server()
        there.up(twin)
        there.supervisor().kill()
        until(lambda: there.seen(twin).state == "orphaned")
        there.up(twin)
    assert here.pid(unit) == pid
    assert here.seen(unit).restarts == 0


@pytest.mark.parametrize(
    "folder", ["a %s 100% [odd] #home ;'of\"", "l" * 120], ids=["odd", "longer than a socket's path"]
)
def test_any_folder_can_be_the_data_home(folder: str) -> None:
    with stage(folder) as here:
        unit = here.server()
        first = here.up(unit)
        here.start(unit)
        assert here.pid(unit) == first
        here.stop(unit)
        assert here.up(unit) != first
        told = (here.home / STACK / "supervisor" / "supervisord.conf").read_text()
        socket = Path(told.partition("file=")[2].partition("\n")[0])
        assert socket.is_absolute() is folder.startswith("l")
        if socket.is_absolute():
            assert (socket.parent.parent, socket.parent.stat().st_mode & 0o777) == (Path("/tmp"), 0o700)
    assert not (here.home / socket).parent.exists()


def test_an_environment_is_built_once_and_shared(here: Stage) -> None:
    code = "import itsdangerous, sys, time; print(sys.prefix, itsdangerous.__file__, flush=True); time.sleep(99)"
    software = here.backend.pin(Software(packages=("itsdangerous==2.2.0",)), silent)
    assert software.pins == ("itsdangerous==2.2.0",)
    one = here.start(here.unit(("python", "-c", code), service="one", software=software))
    two = here.start(here.unit(("python", "-c", code), service="two", stack="other-0001", software=software))
    for unit in (one, two):
        until(lambda unit=unit: "itsdangerous" in here.logs(unit))  # type: ignore[misc]
    assert here.logs(one) == here.logs(two)
    assert [e.message for e in here.events if "installing" in e.message] == [
        "installing itsdangerous==2.2.0 (1 package)"
    ]
    (folder,) = (path for path in (here.home / "environments").iterdir() if path.is_dir())
    assert here.logs(one).startswith(f"{folder} {folder}/lib")
    assert list(folder.glob("lib/python*/site-packages/itsdangerous/__pycache__/*.pyc"))


def test_an_unfinished_environment_is_built_again(here: Stage) -> None:
    unit = here.server(software=here.backend.pin(Software(packages=("itsdangerous==2.2.0",)), silent))
    here.up(unit)
    here.stop(unit)
    (folder,) = (path for path in (here.home / "environments").iterdir() if path.is_dir())
    (folder / "complete.json").unlink()
    for path in folder.glob("lib/python*/site-packages/itsdangerous/*.py"):
        path.unlink()
    here.up(unit)
    assert list(folder.glob("lib/python*/site-packages/itsdangerous/__init__.py"))
    assert (folder / "complete.json").exists()


def test_where_the_account_can_run_no_python_it_gets_a_copy_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "usual", lambda: iter(()))
    with stage("a 100% home") as here:
        software = here.backend.pin(Software(packages=("itsdangerous==2.2.0",)), silent)
        unit = here.unit(("python", "-c", "import itsdangerous, ssl, sys; print(sys.base_prefix)"), software=software)
        if Path(sys.base_prefix).resolve() in (Path("/usr"), Path("/usr/local")):
            with pytest.raises(RequirementError, match="can run no Python"):
                here.start(unit)
            return
        here.start(unit)
        (copy,) = (here.home / "interpreters").iterdir()
        until(lambda: str(copy) in here.logs(unit))
        before = copy.stat().st_ino
        NativeBackend(here.home, LocalTransport()).start(here.server(service="two"), {}, silent)
        assert copy.stat().st_ino == before


def test_a_version_that_does_not_exist_is_a_requirement_error(here: Stage) -> None:
    with pytest.raises(RequirementError, match="itsdangerous") as caught:
        here.backend.pin(Software(packages=("itsdangerous==0.0.99",)), silent)
    assert caught.value.hint == "Choose another version of these packages."


def test_an_abort_ends_the_job_and_leaves_no_process(here: Stage) -> None:
    unit = here.server(
        jobs=(Job("initdb", ("python3", "-c", "print('working', flush=True); import time; time.sleep(99)")),)
    )
    caught: list[ServiceError] = []

    def begin() -> None:
        try:
            here.start(unit)
        except ServiceError as error:
            caught.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    until(lambda: any("time.sleep(99)" in " ".join(p.cmdline()) for p in here.processes()))
    here.backend.abort()
    thread.join(10)
    assert "job initdb of web was ended on request" in caught[0].problem
    assert here.processes() == []
    assert here.seen(unit).state == "stopped"


def test_a_job_that_takes_too_long_is_ended_with_its_last_lines(here: Stage) -> None:
    code = "import subprocess; print('waiting for the lock', flush=True); subprocess.run(['sleep', '99'])"
    unit = here.server(jobs=(Job("migrate", ("python3", "-c", code), timeout_s=1),))
    with pytest.raises(ServiceError, match=r"job migrate of web took longer than 1 s .*:\n  waiting for the lock"):
        here.start(unit)
    assert here.processes() == []


def test_a_job_runs_in_the_place_of_its_unit(here: Stage) -> None:
    code = "import os; open('data/seen', 'w').write(f\"{os.environ['WORD']} {os.getuid()} {os.environ['HOME']}\")"
    unit = here.server(environment=(("WORD", "${secret.word}"),), jobs=(Job("init", ("python3", "-c", code)),))
    here.up(unit, word="hunter22")
    owner = Path(here.data("web")).stat().st_uid
    assert (Path(here.data("web")) / "data" / "seen").read_text() == f"hunter22 {owner} {here.data('web')}"


def test_a_unit_that_begins_again_does_not_end_a_job_that_works_on_it(here: Stage) -> None:
    unit = here.server()
    pid = here.up(unit)
    code = f"import os, signal, time; os.kill({pid}, signal.SIGKILL)\nwhile True: time.sleep(0.1)"
    job = Job("repair", ("python3", "-c", code), timeout_s=3)
    with pytest.raises(ServiceError, match="took longer than 3 s"):
        here.backend.run_job(unit, job, {}, silent)
    assert here.backend.probe(unit).healthy
    assert here.pid(unit) != pid


def test_whoever_holds_a_port_is_named(here: Stage) -> None:
    holder = here.server(service="holder")
    pid = here.up(holder)
    unit = here.server(service="late", port=holder.ports[0].number)
    with pytest.raises(RequirementError, match=rf"by process {pid} \(python3"):
        here.start(unit)


def test_a_broken_annotation_is_shown_and_can_be_purged_or_written_again(here: Stage) -> None:
    unit = here.server()
    here.up(unit)
    path = here.home / STACK / "units" / "web.server.json"
    path.write_text('{"schema": 1, "stack"')
    there = here.seen(unit)
    assert there.state == "failed"
    assert "web.server.json cannot be read" in there.note
    here.up(unit)
    assert here.seen(unit).unit == unit
    path.write_text(json.dumps({"schema": 1}))
    here.stop(unit, purge=True)
    assert here.backend.observe() == ()


def test_an_annotation_of_a_newer_mlox_can_be_read(here: Stage) -> None:
    unit = here.server()
    here.up(unit)
    path = here.home / STACK / "units" / "web.server.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 2, "added_later": [1]}))
    assert here.seen(unit).unit == unit


@pytest.mark.parametrize("path", ["/etc/mlox-test", "{home}/elsewhere", "{home}/churn-7f3a/services/web/../other/x"])
def test_a_file_outside_of_the_service_is_refused(here: Stage, path: str) -> None:
    target = path.replace("{home}", str(here.home))
    unit = here.server(files=(File(target, "x"),))
    with pytest.raises(RequirementError, match="is not below"):
        here.start(unit)
    assert not Path(target).exists()


def test_a_link_that_leads_out_of_the_service_is_not_followed(here: Stage, tmp_path: Path) -> None:
    unit = here.server(files=(File(f"{here.data('web')}/config/x", "x"),))
    data = Path(here.data("web"))
    data.mkdir(parents=True)
    (data / "config").symlink_to(tmp_path)
    with pytest.raises(RequirementError, match="a link leads"):
        here.start(unit)
    assert list(tmp_path.iterdir()) == []


class Full(LocalTransport):
    """A machine whose disk is full."""

    def put(self, content: bytes, path: Path, *, mode: int, account: str | None = None) -> None:
        raise OSError(28, "No space left on device", str(path))


def test_a_full_disk_is_a_requirement_error(here: Stage) -> None:
    unit = here.server()
    with pytest.raises(RequirementError, match="no space left on the disk") as caught:
        NativeBackend(here.home, Full()).start(unit, {}, silent)
    assert caught.value.hint == "Free some disk space."


def test_a_home_that_cannot_be_written_is_a_requirement_error(here: Stage) -> None:
    file = here.home / "file"
    file.write_text("")
    with pytest.raises(RequirementError, match="cannot write"):
        NativeBackend(file / "home", LocalTransport()).start(here.server(), {}, silent)
    file.unlink()


@as_root
def test_a_home_that_the_account_cannot_enter_is_refused(here: Stage) -> None:
    closed = here.home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(RequirementError, match="cannot enter"):
        NativeBackend(closed / "home", LocalTransport()).start(here.server(), {}, silent)
    (closed / "home").rmdir()
    closed.rmdir()


class Cut(LocalTransport):
    """A machine on which the caller is interrupted at its n-th act."""

    def __init__(self, acts: int) -> None:
        super().__init__()
        self.left = acts

    def put(self, content: bytes, path: Path, *, mode: int, account: str | None = None) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().put(content, path, mode=mode, account=account)


def test_a_start_that_is_cut_off_anywhere_is_completed_by_the_next(here: Stage) -> None:
    unit = here.server(files=(File(f"{here.data('web')}/config/x", "x"),), jobs=(Job("init", ("python3", "-c", "")),))
    for acts in range(99):
        try:
            NativeBackend(here.home, Cut(acts)).start(unit, {}, silent)
        except KeyboardInterrupt:
            assert len(here.processes()) <= 1
            if acts % 3 == 0:
                here.up(unit)
                assert len(listening(unit)) == 1
                here.stop(unit, purge=True)
        else:
            break
    assert acts > 5
    until(lambda: here.backend.probe(unit).healthy)
    assert len(listening(unit)) == 1


def test_logs_are_read_and_followed_across_rotation(here: Stage) -> None:
    unit = here.server()
    log = here.home / STACK / "logs" / "web.server.log"
    log.parent.mkdir(parents=True)
    read = lambda count: here.backend.logs(STACK, "web", "server", lines=count)  # noqa: E731
    lines = here.backend.follow(unit.stack, unit.service, unit.name)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(next(lines) for _ in range(5)))
    reader.start()
    log.write_bytes(b"one\ntw")
    until(lambda: seen == ["one"])
    with log.open("ab") as file:
        file.write(b"o\nhal")
    until(lambda: seen == ["one", "two"])
    log.rename(log.with_name("web.server.log.1"))
    log.write_bytes(b"three\n" + b"x" * 100_000 + b"\xff\n")
    reader.join(10)
    assert seen == ["one", "two", "hal", "three", "x" * 100_000 + "\ufffd"]
    assert read(4) == ("two", "hal", "three", "x" * 100_000 + "\ufffd")
    assert read(99)[0] == "one"
    assert read(1) == ("x" * 100_000 + "\ufffd",)
    here.stop(unit, purge=True)


def test_facts_know_the_versions_of_real_programs(here: Stage) -> None:
    program = Program("redis-server", ("redis-server", "--version"), r"v=(\d+\.\d+\.\d+)")
    facts = here.backend.facts(Question(programs=(program,)))
    assert facts.programs["redis-server"].count(".") == 2
    assert list(here.home.iterdir()) == []


def test_looking_is_quick(here: Stage) -> None:
    units = [here.start(here.server(service=f"web-{number}")) for number in range(4)]
    for unit in units:
        until(lambda unit=unit: here.backend.probe(unit).healthy)  # type: ignore[misc]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        assert len(here.backend.observe()) == 4
        times.append(time.perf_counter() - began)
    assert min(times) < 0.1


def _as_nobody(act: Callable[[], object]) -> None:
    """Do it in a child that is nobody, and raise PermissionError where that was refused."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.setgid(65534)
            os.setuid(65534)
            act()
            os._exit(0)
        os._exit(13)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 13:
        raise PermissionError
