"""What tests of the OpenTelemetry Collector work with: its program where services find it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.engine.go import OTELCOL, NoGoError, built
from tests.live.object_stage import place


@contextlib.contextmanager
def path_with_otelcol() -> Iterator[str]:
    """A PATH on which ``otelcol`` is, in a folder that every account may look into."""
    if shutil.which("otelcol"):
        yield os.environ["PATH"]
        return
    folder = Path(tempfile.mkdtemp(prefix="mlox-otelcol-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        try:
            place(built(OTELCOL), folder / "otelcol")
        except NoGoError as error:
            pytest.skip(f"otelcol is not on the PATH, and cannot be built: {error}")
        yield f"{folder}{os.pathsep}{os.environ['PATH']}"
    finally:
        shutil.rmtree(folder)
