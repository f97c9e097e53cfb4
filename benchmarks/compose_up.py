"""`mlox up` of five services in containers against `docker compose up --wait` of what it exports; then again."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measuring.deployment import Deployment, actions, deployment, free_port, scratch
from measuring.engines import compose_command, need_engine
from measuring.environments import environment, ours, release
from measuring.stopwatch import Command, load, seconds, spread, verdict
from ruamel.yaml import YAML

UP, AGAIN = 1.05, 0.5
POLL = "100ms"
"""How often mlox asks whether a service is healthy; an exported file says two seconds, for engines to be at peace."""

SERVICES = {
    "db": ("postgres", "postgres"),
    "events": ("postgres", "postgres"),
    "cache": ("redis", "redis"),
    "queue": ("redis", "redis"),
    "features": ("redis", "redis"),
}
"""Instances: the catalog service of each, and its port."""


@dataclass(frozen=True)
class Compose:
    """The exported stack, and Compose in a folder of its own."""

    command: Command
    env: dict[str, str]

    def up(self) -> float:
        return seconds((*self.command, "up", "--detach", "--wait"), cwd="/", env=self.env)[0]

    def down(self) -> None:
        seconds((*self.command, "down", "--volumes"), cwd="/", env=self.env)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10, help="pairs of runs (default 10)")
    parser.add_argument("--interval", default=POLL, help=f"of exported health checks (default {POLL}, as mlox)")
    arguments = parser.parse_args()
    need_engine()
    program = compose_command()
    if program is None:
        sys.exit("skipped: Docker Compose is neither a plugin of docker nor on the PATH")
    installed = ours("docker")
    took: dict[str, list[float]] = {name: [] for name in ("mlox", "compose", "mlox again", "compose again")}
    with scratch() as folder, deployment(installed / "bin" / "mlox", folder / "one") as stack:
        write(stack)
        up(stack)  # brings the images, and keeps their digests
        with exported(stack, program, folder / "compose", arguments.interval) as compose:
            stack.down()
            for pair in range(arguments.pairs + 1):
                for side in ("mlox", "compose") if pair % 2 else ("compose", "mlox"):
                    first, second = run(side, stack, compose)
                    if pair:  # the first warms caches up
                        took[side].append(first)
                        took[f"{side} again"].append(second)
    print(f"{release(installed)}: {len(SERVICES)} services in containers, images present, {arguments.pairs} pairs")
    tell("up", took["mlox"], took["compose"], UP)
    tell("second up", took["mlox again"], took["compose again"], AGAIN)
    print(f"health checks every {arguments.interval}; {load()}")


def run(side: str, stack: Deployment, compose: Compose) -> tuple[float, float]:
    """The times of ``up`` where nothing is, and where all runs; everything is purged afterwards."""
    if side == "compose":
        try:
            return compose.up(), compose.up()
        finally:
            compose.down()
    try:
        first = up(stack)
        again, output = seconds((stack.mlox, "up", "--json", "-y"), cwd=stack.workspace, env=stack.env)
        assert actions(output) == [], output
        return first, again
    finally:
        stack.down()


def up(stack: Deployment) -> float:
    """The time of ``mlox up``, which must do something for every service, until it is healthy."""
    took, output = seconds((stack.mlox, "up", "--json", "-y"), cwd=stack.workspace, env=stack.env)
    assert {action["service"] for action in actions(output)} == set(SERVICES), output
    assert {row["status"] for row in json.loads(output)["services"]} == {"running"}, output
    return took


def write(stack: Deployment) -> None:
    """Write the services into ``mlox.yaml``, each with a free port."""
    lines = ["name: bench", "services:"]
    for name, (service, port) in SERVICES.items():
        lines.append(f"  {name}: {{service: {service}, server: docker, ports: {{{port}: {free_port()}}}}}")
    (stack.workspace / "mlox.yaml").write_text("\n".join((*lines, "")))


@contextmanager
def exported(stack: Deployment, program: Command, folder: Path, interval: str) -> Iterator[Compose]:
    """What ``mlox export compose`` gives, with health checks at ``interval`` and as patient, and a value a secret."""
    _, output = seconds((stack.mlox, "export", "compose", "--json"), cwd=stack.workspace, env=stack.env)
    told = json.loads(output)
    for service in told["compose"]["services"].values():
        service["healthcheck"] |= {"interval": interval, "retries": 1000}
    folder.mkdir()
    with (folder / "compose.yaml").open("w") as file:
        YAML(typ="safe").dump(told["compose"], file)
    env = environment(**{name: secrets.token_hex(12) for name in told["secrets"]})
    made = Compose((*program, "--file", folder / "compose.yaml", "--project-name", stack_name(told)), env)
    try:
        yield made
    finally:
        made.down()
        shutil.rmtree(folder)


def stack_name(told: dict[str, dict[str, str]]) -> str:
    """A name of a project that nobody else on this engine has."""
    return f"{told['compose']['name']}-{secrets.token_hex(4)}"


def tell(what: str, ours: list[float], theirs: list[float], target: float) -> None:
    """The ratio of the pairs at the median, and of the least times."""
    middle = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    least = min(ours) / min(theirs)
    print(
        f"{what}: {middle:.2f} times at the median of the pairs ({verdict(middle, target)}), {least:.2f} by minima;"
        f" target {target}; mlox {spread(ours)}, compose {spread(theirs)}"
    )


if __name__ == "__main__":
    main()
