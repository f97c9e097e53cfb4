"""Whether secrets and the environment of the caller stay where they belong, and services in their own folders."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from mlox.errors import RequirementError
from mlox.transports.local import LocalTransport
from mlox.units import File
from tests.live.native_stage import (
    PASSWORD,
    STACK,
    Stage,
    as_root,
    get,
    redis,
    until,
)

pytestmark = pytest.mark.live


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
    refused = LocalTransport().run(("cat", str(top / "launch" / "web.server.json")), account="nobody")
    assert "Permission denied" in refused.stderr


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
