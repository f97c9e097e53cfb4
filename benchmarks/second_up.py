"""What a second `mlox up` costs over `mlox --help`, when everything runs: it must do nothing, and soon."""

from __future__ import annotations

import argparse
import shutil
import statistics
from pathlib import Path

from measuring.deployment import actions, deployment, scratch
from measuring.environments import ours, release
from measuring.stopwatch import alternating, load, spread, verdict

TARGET_S = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="alternating runs of each command (default 15)")
    runs = parser.parse_args().runs
    folder = ours()
    services = ("redis", "mlflow") if shutil.which("redis-server") else ("mlflow",)
    print(f"{release(folder)}: a second `mlox up` less `mlox --help`, {runs} alternating runs")
    for name in services:
        _compare(folder / "bin" / "mlox", name, runs)
    print(load())


def _compare(mlox: Path, name: str, runs: int) -> None:
    with scratch() as folder, deployment(mlox, folder / "one") as stack:
        stack.up(name)
        again = (mlox, "-C", stack.workspace, "up", "--json")
        times = alternating({"help": (mlox, "--help"), "up": again}, runs, stack.env, look=_nothing_done)
    least = min(times["up"]) - min(times["help"])
    middle = statistics.median(times["up"]) - statistics.median(times["help"])
    print(
        f"{name}: 0 actions; {least:.2f} s more by minima ({verdict(least, TARGET_S)}),"
        f" {middle:.2f} s by medians ({verdict(middle, TARGET_S)}); target {TARGET_S} s;"
        f" up {spread(times['up'])}, help {spread(times['help'])}"
    )


def _nothing_done(command: str, output: str) -> None:
    assert command != "up" or actions(output) == [], output


if __name__ == "__main__":
    main()
