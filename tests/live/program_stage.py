"""Programs that are built where the PATH has none: for tests of a service that runs from the PATH."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.engine.go import NoGoError, Program, built
from tests.live.object_stage import place


@contextlib.contextmanager
def path_with(program: Program) -> Iterator[str]:
    """A PATH on which a program is, built where it is not there, in a folder that every account may look into."""
    if shutil.which(program.name):
        yield os.environ["PATH"]
        return
    folder = Path(tempfile.mkdtemp(prefix=f"mlox-{program.name}-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        place(built(program), folder / program.name)
        yield f"{folder}{os.pathsep}{os.environ['PATH']}"
    except NoGoError as error:
        pytest.skip(f"{program.name} is not on the PATH, and cannot be built: {error}")
    finally:
        shutil.rmtree(folder)
