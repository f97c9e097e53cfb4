"""Whether the Python environments of native units are built once, shared, and built again where unfinished."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlox.backends.native import NativeBackend, interpreter
from mlox.errors import RequirementError
from mlox.protocols import silent
from mlox.transports.local import LocalTransport
from mlox.units import Software
from tests.live.native_stage import (
    Stage,
    stage,
    until,
)

pytestmark = pytest.mark.live


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
