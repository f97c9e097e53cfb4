"""What tests of Kafka work with: its programs where services find them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.engine.maven import KAFKA, NoJavaError, collected


@contextlib.contextmanager
def path_with_kafka() -> Iterator[str]:
    """A PATH on which Kafka's programs are: those that are there, else made ones that every account may run."""
    if shutil.which("kafka-server-start.sh"):
        yield os.environ["PATH"]
        return
    # The cache may be in a home that others may not look into.
    folder = Path("/tmp") / f"mlox-kafka-{KAFKA.version}-{os.getpid()}"
    try:
        shutil.copytree(collected(KAFKA), folder)
        folder.chmod(0o755)
        yield f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    except NoJavaError as error:
        pytest.skip(f"Kafka is not on the PATH, and cannot be had: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
