"""How long `import mlox` and `mlox --help` take, against busysloths-mlox, net of the interpreter's own start."""

from __future__ import annotations

import argparse

from measuring.environments import environment, newest, ours, release
from measuring.stopwatch import Command, alternating, verdict

PEER = "busysloths-mlox"
TARGET = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="alternating runs of each command (default 20)")
    runs = parser.parse_args().runs
    mine, theirs = ours(), newest(PEER)
    commands: dict[str, Command] = {
        "bare": (mine / "bin" / "python", "-c", "pass"),
        "bare, peer": (theirs / "bin" / "python", "-c", "pass"),
        "import": (mine / "bin" / "python", "-c", "import mlox"),
        "import, peer": (theirs / "bin" / "python", "-c", "from mlox.project import ProjectWorkspace"),
        "help": (mine / "bin" / "mlox", "--help"),
        "help, peer": (theirs / "bin" / "mlox", "--help"),
    }
    times = alternating(commands, runs, environment())
    print(f"{release(mine)} against {release(theirs)}: minima of {runs} alternating runs, less `python -c pass`")
    _tell("import mlox", times, "import")
    _tell("mlox --help", times, "help")


def _tell(title: str, times: dict[str, list[float]], name: str) -> None:
    mine = min(times[name]) - min(times["bare"])
    theirs = min(times[f"{name}, peer"]) - min(times["bare, peer"])
    ratio = mine / theirs
    print(
        f"{title}: {mine * 1000:.0f} ms against {theirs * 1000:.0f} ms,"
        f" ratio {ratio:.2f} (target {TARGET}: {verdict(ratio, TARGET)})"
    )


if __name__ == "__main__":
    main()
