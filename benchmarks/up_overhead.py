"""What `mlox up mlflow` takes over the same thing done by hand, cold (no environment) and warm (environment there)."""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from measuring.by_hand import ENTRY, Account, ByHand, end
from measuring.deployment import deployment, scratch
from measuring.environments import ours, release
from measuring.stopwatch import load, spread, verdict

TARGET_S = 2.0
Pair = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="alternating pairs (default 5)")
    pairs = parser.parse_args().pairs
    mlox = ours() / "bin" / "mlox"
    print(f"{release(ours())}: `mlox up mlflow` ({ENTRY['version']}) against by hand, {pairs} alternating pairs")
    with scratch() as folder, deployment(mlox, folder / "first") as first:
        # Fills uv's cache, makes the account, and shows which interpreter services get here: the same for both sides.
        first.choose_port("mlflow", "http")
        first.up("mlflow")
        (python,) = (first.home / "environments").glob("*/bin/python")
        (data,) = first.home.glob("*/services/mlflow")
        interpreter, account = python.resolve(), Account.of(data)
        first.down()
        sides: dict[str, Callable[[Path], Pair]] = {
            "mlox": lambda place: _by_mlox(mlox, place),
            "hand": lambda place: _by_hand(ByHand(place / "environment", interpreter, account), place),
        }
        times: dict[str, list[Pair]] = {"mlox": [], "hand": []}
        for turn in range(pairs):
            for side in ("mlox", "hand") if turn % 2 == 0 else ("hand", "mlox"):
                times[side].append(sides[side](folder / f"{side}-{turn}"))
            _progress(turn, times)
    for temperature in ("cold", "warm"):
        _tell(temperature, [pair[temperature] for pair in times["mlox"]], [pair[temperature] for pair in times["hand"]])
    print(load())


def _by_mlox(mlox: Path, place: Path) -> Pair:
    with deployment(mlox, place) as stack:
        stack.choose_port("mlflow", "http")
        cold = stack.up("mlflow")
        stack.down()
        return {"cold": cold, "warm": stack.up("mlflow")}


def _by_hand(hand: ByHand, place: Path) -> Pair:
    place.mkdir(mode=0o711)
    took: Pair = {}
    try:
        for temperature in ("cold", "warm"):
            began = time.perf_counter()
            if temperature == "cold":
                hand.install()
            server = hand.start(place / temperature)
            took[temperature] = time.perf_counter() - began
            end(server)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return took


def _progress(turn: int, times: dict[str, list[Pair]]) -> None:
    told = (f"{side} {kind} {pairs[-1][kind]:.2f} s" for kind in ("cold", "warm") for side, pairs in times.items())
    print(f"  pair {turn + 1}: {', '.join(told)}", flush=True)


def _tell(temperature: str, mine: list[float], by_hand: list[float]) -> None:
    differences = [a - b for a, b in zip(mine, by_hand, strict=True)]
    overhead = statistics.median(differences)
    print(
        f"{temperature}: {overhead:+.2f} s at the median (target {TARGET_S:.0f} s: {verdict(overhead, TARGET_S)};"
        f" {min(differences):+.2f} to {max(differences):+.2f}), {min(mine) - min(by_hand):+.2f} s by minima,"
        f" ratio {statistics.median(mine) / statistics.median(by_hand):.2f};"
        f" mlox {spread(mine)}, by hand {spread(by_hand)}"
    )


if __name__ == "__main__":
    main()
