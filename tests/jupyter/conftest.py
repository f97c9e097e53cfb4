"""A shell and a kernel for the tests of the notebook front end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mlox.testing import FakeBackend
from tests.fake_machine import fake_machine
from tests.jupyter.cells import FAKE, Kernel, Run, run_in


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    """The one machine of this process."""
    return fake_machine(monkeypatch)


@pytest.fixture
def shell(machine: FakeBackend) -> Iterator[InteractiveShell]:
    """IPython without a kernel and without a terminal."""
    del machine
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield made
    made.restore_sys_module_state()
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell: InteractiveShell) -> Run:
    """Runs a cell in ``shell``, with the extension loaded."""
    assert run_in(shell, "%load_ext mlox_jupyter").error is None
    return partial(run_in, shell)


@pytest.fixture(scope="module")
def one_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel for the tests of a file."""
    # Begun before the home of a test is its own.
    kernel = Kernel(tmp_path_factory.mktemp("kernel"), IPYTHONDIR=str(tmp_path_factory.mktemp("ipython")))
    yield kernel
    kernel.close()


@pytest.fixture
def kernel(one_kernel: Kernel, isolated: Path) -> Kernel:
    """The kernel as new: in this test's folder, with a machine of its own and the extension loaded."""
    settings = {key: os.environ[key] for key in ("HOME", "MLOX_DATA_HOME")}
    here = f"import os\nos.environ.update({settings!r})\nos.chdir({str(isolated)!r})"
    begun = one_kernel.run(f"%reset -f\n{here}\n{FAKE}\n%reload_ext mlox_jupyter")
    assert (begun.error, begun.displays, begun.printed) == (None, [], "")
    return one_kernel
