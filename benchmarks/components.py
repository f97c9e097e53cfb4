"""`mlox add` of the largest component in 50,000 lines against copier and shadcn; `check` against `git status`."""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from measuring.deployment import scratch
from measuring.environments import CACHE, PROJECT, environment, newest, ours, release
from measuring.stopwatch import Command, load, seconds, spread, verdict
from ruamel.yaml import YAML

ADD, CHECK, CHECK_S = 2.0, 0.5, 1.0
MODULES, FUNCTIONS = 250, 40
"""Each function has five lines: 50,000 in all."""

SHADCN = "shadcn@4.23.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10, help="rounds of all sides (default 10)")
    rounds = parser.parse_args().pairs
    mine, copier = ours("components"), newest("copier")
    name = largest()
    with scratch() as folder:
        try:
            compare(folder, name, mine / "bin" / "mlox", copier, rounds)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path, name: str, mlox: Path, copier: Path, rounds: int) -> None:
    """Add a component in each way, to fresh copies of one repository; then look at one that has it."""
    plain, added = folder / "plain", folder / "added"
    write_repository(plain)
    # Without a network: what resolving versions costs is uv's and the index's, and copier does not do it.
    env = environment(MLOX_DATA_HOME=str(folder / "home"), UV_OFFLINE="1", CI="1")
    shutil.copytree(plain, added)
    add: Command = (mlox, "add", name, "-y", "--json")
    seconds(add, cwd=added, env=env)
    paths = [path for path in new_files(added) if path.suffix and ".mlox" not in path.parts]
    sides: dict[str, Command] = {
        "mlox": add,
        "copier": (copier / "bin" / "copier", "copy", "--quiet", "--defaults", template(folder, added, paths), "."),
    }
    if shutil.which("npm"):
        sides["shadcn"] = (shadcn(), "add", item(folder, name, added, paths), "--yes", "--silent")
    lines = sum((added / path).read_bytes().count(b"\n") for path in paths)
    print(f"{release(mlox.parents[1])}: {name} and what it needs, {len(paths)} files, {lines} lines; {rounds} rounds")
    tell_adding(in_turns({side: partial(in_a_copy, plain, sides[side], env, paths) for side in sides}, rounds))
    looks: dict[str, Command] = {"check": (mlox, "check", "--json"), "git status": ("git", "status", "--porcelain")}
    tell_checking(in_turns({look: partial(timed, looks[look], added, env) for look in looks}, rounds))
    print(load())


def in_a_copy(plain: Path, command: Command, env: dict[str, str], paths: list[Path]) -> float:
    """The time of a command in a copy of the repository, where it has to write these files."""
    copy = plain.with_name("copy")
    shutil.copytree(plain, copy)
    try:
        took = timed(command, copy, env)
        missing = [path for path in paths if not (copy / path).exists()]
        assert not missing, f"{command[0]} did not write {missing}"
    finally:
        shutil.rmtree(copy)
    return took


def timed(command: Command, folder: Path, env: dict[str, str]) -> float:
    return seconds(command, cwd=folder, env=env)[0]


def tell_adding(times: dict[str, list[float]]) -> None:
    """The ratios to each peer, of which copier's has a target."""
    for peer in [side for side in times if side != "mlox"]:
        ratio = statistics.median(mine / other for mine, other in zip(times["mlox"], times[peer], strict=True))
        told = f"target {ADD}: {verdict(ratio, ADD)}" if peer == "copier" else "no target"
        print(f"add: {ratio:.2f} x {peer} ({told}); mlox {spread(times['mlox'])}, {peer} {spread(times[peer])}")


def tell_checking(times: dict[str, list[float]]) -> None:
    """How much longer `check` takes than half a `git status`."""
    pairs = zip(times["check"], times["git status"], strict=True)
    over = statistics.median(mine - CHECK * other for mine, other in pairs)
    print(
        f"check: {over:.2f} s over {CHECK} x git status (target {CHECK_S}: {verdict(over, CHECK_S)}); "
        f"check {spread(times['check'])}, git status {spread(times['git status'])}"
    )


def largest() -> str:
    """The component of mlox with the most lines."""
    folders = [path for path in (PROJECT / "mlx-components").iterdir() if path.is_dir()]
    return max(folders, key=lambda path: sum(one.read_bytes().count(b"\n") for one in path.rglob("*.py"))).name


def write_repository(folder: Path) -> None:
    """A package of 50,000 lines, committed, and an empty workspace."""
    package = folder / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for module in range(MODULES):
        bodies = (
            f'def step_{each}(value: int) -> int:\n    """Step {each}."""\n    return value + {module}\n\n\n'
            for each in range(FUNCTIONS)
        )
        (package / f"module_{module}.py").write_text("".join(bodies))
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n')
    (folder / "mlox.yaml").write_text("name: shop\nservices: {}\n")
    (folder / "package.json").write_text('{"name": "shop", "version": "0.1.0"}\n')
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", "Begin")


def git(folder: Path, *words: str) -> str:
    """What git says in a repository."""
    done = subprocess.run(("git", *words), cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout


def new_files(folder: Path) -> list[Path]:
    """The files that git does not know yet, by their paths in the repository."""
    return [Path(line) for line in git(folder, "ls-files", "--others", "--exclude-standard").splitlines()]


def template(folder: Path, added: Path, paths: list[Path]) -> Path:
    """A template of copier that holds the same files."""
    made = folder / "template"
    for path in paths:
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(added / path, made / path)
    with (made / "copier.yml").open("w") as file:
        YAML().dump({"_templates_suffix": ".jinja"}, file)
    return made


def item(folder: Path, name: str, added: Path, paths: list[Path]) -> Path:
    """An item of a registry of shadcn's that holds the same files."""
    made = folder / "item.json"
    files = [
        {"path": str(path), "content": (added / path).read_text(), "type": "registry:file", "target": f"~/{path}"}
        for path in paths
    ]
    made.write_text(json.dumps({"name": name, "type": "registry:item", "files": files}))
    return made


def shadcn() -> Path:
    """The program of shadcn, installed by npm below the cache."""
    folder = CACHE / SHADCN.replace("@", "-")
    program = folder / "node_modules" / ".bin" / "shadcn"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ("--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(folder))
        subprocess.run(("npm", "install", *quiet, SHADCN), cwd=folder, env=environment(), check=True)
    return program


def in_turns(sides: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The times of each side: one warm-up each, then rounds that each begin with another side."""
    times: dict[str, list[float]] = {side: [] for side in sides}
    names = list(sides)
    for turn in range(rounds + 1):
        first = turn % len(names)
        for side in names[first:] + names[:first]:
            took = sides[side]()
            if turn:
                times[side].append(took)
    return times


if __name__ == "__main__":
    main()
