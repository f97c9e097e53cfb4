"""Merges of Python files that developers made, made again by mlox, git and, where it is installed, Mergiraf.

The scenarios are mined from repositories' histories by ``mine_merges.py`` and scored by ``score_merges.py``, which both
lie in ``shared/tools`` beside this checkout. They are other people's code, so none are kept here.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from measuring.environments import CACHE, PROJECT, environment
from measuring.stopwatch import load, verdict

TOOLS = PROJECT.parent / "shared" / "tools"
MINED = CACHE / "merge-scenarios"
EQUAL = ("text-equal", "ast-equal", "order-equal")
STUCK = ("conflict", "crash")
MIDDLING = range(700, 1301)
"""How many lines a file of about 1,000 has."""

OURS = ("full", "strict")
PEERS = {"mergiraf": "mergiraf merge {base} {left} {right} -o {out}"}


@dataclass(frozen=True)
class Outcome:
    """What a tool came to in one scenario: in a word, how many hunks it left, and how long it took."""

    outcome: str
    hunks: int
    seconds: float
    error: str = ""

    @property
    def stuck(self) -> bool:
        """Whether something is left for a person."""
        return self.outcome in STUCK

    @property
    def right(self) -> bool:
        """Whether it is what the developer made of it, apart from form."""
        return self.outcome in EQUAL


@dataclass(frozen=True)
class Scenario:
    """A merge: where its files lie, and what each tool came to."""

    folder: Path
    by: Mapping[str, Outcome]

    @classmethod
    def parse(cls, line: str) -> Scenario:
        """A line that the scorer wrote; its paths are as seen from the folder of the benchmarks."""
        row = json.loads(line)
        outcomes = {tool: Outcome(**outcome) for tool, outcome in row["tools"].items()}
        return cls(Path(__file__).parent / row["scenario"], outcomes)

    def lines(self) -> int:
        """How long the base is."""
        return (self.folder / "base.py").read_bytes().count(b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="?", type=Path, default=MINED, help=f"folder of scenarios (default {MINED})")
    parser.add_argument("--every", type=int, default=1, help="take every Nth scenario")
    parser.add_argument("--jobs", type=int, default=1, help="scenarios at once; times mean little with more than 1")
    arguments = parser.parse_args()
    if not any(arguments.scenarios.rglob("merged.py")) or not (TOOLS / "score_merges.py").exists():
        sys.exit(f"skipped: no scenarios in {arguments.scenarios}: mine_merges.py of {TOOLS} makes them")
    peers = {name: command for name, command in PEERS.items() if shutil.which(name)}
    scenarios = scored(arguments.scenarios, peers, arguments.every, arguments.jobs)
    print(f"{len(scenarios)} scenarios; {load()}")
    for tool in (*OURS, *peers):
        tell_outcomes(tool, scenarios)
    tell_times(scenarios)


def scored(folder: Path, peers: Mapping[str, str], every: int, jobs: int) -> list[Scenario]:
    """What each tool made of each scenario."""
    tools = ["git", *(f"{level}=py:measuring.merging:{level}" for level in OURS), *map("=".join, peers.items())]
    words = [word for tool in tools for word in ("--tool", tool)]
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        options = ("--every", str(every), "--jobs", str(jobs), "--json", file.name)
        command = [sys.executable, str(TOOLS / "score_merges.py"), str(folder.resolve()), *words, *options]
        done = subprocess.run(
            command, cwd=Path(__file__).parent, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"error: score_merges.py ended with {done.returncode}:\n{done.stderr}")
        return [Scenario.parse(line) for line in Path(file.name).read_text().splitlines()]


def tell_outcomes(tool: str, scenarios: list[Scenario]) -> None:
    """How much of what git left in conflict a tool solves, how much of that rightly, and what it breaks."""
    pairs = [(scenario.by["git"], scenario.by[tool]) for scenario in scenarios]
    left = [made for git, made in pairs if git.stuck]
    solved = [made for made in left if not made.stuck]
    right = sum(made.right for made in solved)
    exact = sum(made.outcome == "text-equal" for made in solved)
    hunks = sum(made.hunks for made in left if made.stuck), sum(git.hunks for git, _ in pairs if git.stuck)
    worse = sum(git.right and made.outcome != git.outcome for git, made in pairs)
    broken = Counter(made.outcome for _, made in pairs)
    print(
        f"{tool}: solves {share(len(solved), len(left))} of the {len(left)} files that git leaves in conflict, "
        f"{share(right, len(solved))} of them as the developer did ({share(exact, right)} of these to the byte); "
        f"hunks left {share(*hunks)} of git's; right - 2 x wrong {right - 2 * (len(solved) - right)}; "
        f"unparsable {broken['unparsable']}, crashes {broken['crash']}; right with git and not here {worse}"
    )


def tell_times(scenarios: list[Scenario]) -> None:
    """The clean path less 1.2 times git's merge, and conflicted files of about 1,000 lines."""
    clean = [scenario.by for scenario in scenarios if not scenario.by["git"].stuck]
    if clean:
        over = statistics.median(1000 * (by["full"].seconds - 1.2 * by["git"].seconds) for by in clean)
        print(f"where git is clean: {over:.1f} ms over 1.2 x git at the median (target 10: {verdict(over, 10)})")
    stuck = [scenario for scenario in scenarios if scenario.by["git"].stuck]
    took = [1000 * scenario.by["full"].seconds for scenario in stuck if scenario.lines() in MIDDLING]
    if len(took) > 1:
        middle, late = statistics.median(took), statistics.quantiles(took, n=20)[-1]
        print(
            f"conflicted, about 1,000 lines, {len(took)} files: median {middle:.0f} ms (target 150: "
            f"{verdict(middle, 150)}), 95th percentile {late:.0f} ms (target 500: {verdict(late, 500)})"
        )


def share(part: int, whole: int) -> str:
    """A percentage."""
    return f"{100 * part / whole:.1f} %" if whole else "none"


if __name__ == "__main__":
    main()
