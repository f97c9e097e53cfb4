"""What `plan` of 200 running containers costs over the engine's own listing of them; less is better."""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring.deployment import scratch
from measuring.engines import need_engine
from measuring.stopwatch import load, spread, verdict

from mlox.stack import Stack

TARGET_S = 0.5

SERVICE = """\
name: idle
version: "1"
summary: a container that does nothing
units:
  server:
    image: busybox:${version}
    command: [sleep, infinity]
    network_mode: none
    mem_limit: 8m
    stop_grace_period_s: 0
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", type=int, default=200, help="how many containers (default 200)")
    parser.add_argument("--runs", type=int, default=15, help="alternating runs of each (default 15)")
    arguments = parser.parse_args()
    api = need_engine().api
    with scratch() as folder, running(folder / "idle", arguments.containers) as stack:
        label = {"label": f"mlox.stack={stack.id}"}

        def listing() -> None:
            found = api.containers(all=True, filters=label)
            assert sum(each["State"] == "running" for each in found) == arguments.containers

        def planning() -> None:
            with stack.workspace.path.open("a") as file:
                file.write("# again\n")  # a text that was not read before, as in a new process
            assert not Stack(path=stack.workspace.root).plan().actions

        times: dict[str, list[float]] = {"listing": [], "planning": []}
        for turn in range(arguments.runs + 1):
            for name, function in sorted({"listing": listing, "planning": planning}.items(), reverse=bool(turn % 2)):
                took = timed(function)
                if turn:
                    times[name].append(took)
    pairs = zip(times["planning"], times["listing"], strict=True)
    over = statistics.median(mine - engines for mine, engines in pairs)
    print(
        f"`plan` of {arguments.containers} running containers, {arguments.runs} alternating runs: 0 actions,"
        f" {over:.2f} s over the engine's listing at the median of the pairs ({verdict(over, TARGET_S)}), target"
        f" {TARGET_S} s; plan {spread(times['planning'])}, listing {spread(times['listing'])}"
    )
    print(load())


@contextmanager
def running(folder: Path, count: int) -> Iterator[Stack]:
    """A stack of so many containers that run; purged whatever happens."""
    os.environ["MLOX_DATA_HOME"] = str(folder / "home")
    workspace = folder / "idle"
    (workspace / "services").mkdir(parents=True)
    (workspace / "services" / "idle.yaml").write_text(SERVICE)
    lines = ["name: idle", "services:", *(f"  idle-{n}: {{service: idle, server: docker}}" for n in range(count))]
    (workspace / "mlox.yaml").write_text("\n".join((*lines, "")))
    stack = Stack(path=workspace)
    try:
        print(f"starting {count} containers", flush=True)
        stack.up()
        yield stack
    finally:
        stack.down(purge=True)


def timed(function: Callable[[], object]) -> float:
    """How long it takes, in seconds."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
