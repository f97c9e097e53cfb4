"""How long commands take: run in turns, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Command = Sequence[str | Path]


def seconds(command: Command, *, cwd: str | Path, env: Mapping[str, str]) -> tuple[float, str]:
    """The wall time of a command that must succeed, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return took, done.stdout


def alternating(
    commands: Mapping[str, Command],
    runs: int,
    env: Mapping[str, str],
    look: Callable[[str, str], None] | None = None,
) -> dict[str, list[float]]:
    """The wall times of each command: one warm-up each, then ``runs`` rounds, each begun with another command.

    They stand in an empty folder: neither a checkout nor a workspace is in sight. ``look`` sees each one's output.
    """
    times: dict[str, list[float]] = {name: [] for name in commands}
    names = list(commands)
    with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
        for name in names:
            seconds(commands[name], cwd=folder, env=env)
        for turn in range(runs):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                took, output = seconds(commands[name], cwd=folder, env=env)
                times[name].append(took)
                if look is not None:
                    look(name, output)
    return times


def verdict(value: float, target: float) -> str:
    """``met`` or ``MISSED``; a benchmark tells, it does not fail."""
    return "met" if value <= target else "MISSED"


def load() -> str:
    """What else the machine does: with more running than it has cores, every wall time grows, differences too."""
    return f"load over the last minutes {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores"


def spread(values: Sequence[float]) -> str:
    """Median and range, for a line of text."""
    return f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"
