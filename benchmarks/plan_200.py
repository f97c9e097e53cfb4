"""What a plan of 200 services costs, on a back end in memory: reading, resolving and comparing; less is better."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measuring.stopwatch import load, verdict

from mlox import plugins
from mlox.documents import load as read_yaml
from mlox.protocols import Transport
from mlox.stack import Stack
from mlox.testing import FakeBackend

TARGET_S = 1.0
CHAIN = 10
"""Services in a row, each of which needs the one before."""

SERVICE = """\
name: link
version: "1"
summary: one of a chain
secrets: {password: {generate: 24}}
options: {workers: {type: integer, default: 1, help: how many}}
ports: {main: {port: 9000, scheme: link}}
data: {data: {}}
needs: {before: {capability: link, embedded: {url: "none"}}}
provides: {link: {url: {scheme: link, port: main, user: me, password: "${secret.password}"}}}
units:
  server:
    stateful: true
    native:
      binary: {name: link, version_argv: [link, --version], version_pattern: '(.*)'}
      command: [link, "${port.main}", "${dir.config}/link.conf"]
    environment: {BEFORE: "${need.before.url}", PASSWORD: "${secret.password}"}
    files: {link.conf: {content: "workers = ${option.workers}\\ndata = ${dir.data}\\n"}}
    probe: {http: {port: main}}
"""


class Machine:
    """Stands for the native back end."""

    backend = FakeBackend(programs={"link": "1"})

    def __new__(cls, home: Path, transport: Transport, server: str = "local") -> FakeBackend:  # type: ignore[misc]
        del transport, server
        cls.backend.home = str(home)
        return cls.backend


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=200, help="how many services (default 200)")
    parser.add_argument("--runs", type=int, default=5, help="how often (default 5)")
    arguments = parser.parse_args()
    plugins.TABLE["backends", "native"] = plugins.Row(f"{__name__}:Machine")
    print(f"`plan` of {arguments.services} services, {arguments.runs} runs")
    with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
        os.environ["MLOX_DATA_HOME"] = f"{folder}/home"
        stack = Stack(path=written(Path(folder) / "chain", arguments.services))
        text = stack.workspace.path.read_text()
        reading = timed(lambda: read_yaml(text, source="mlox.yaml"), arguments.runs)
        tell("nothing runs", stack, reading, arguments)
        stack.up()
        tell("all of it runs", stack, reading, arguments)
    print(load())


def tell(what: str, stack: Stack, reading: float, arguments: argparse.Namespace) -> None:
    """The time of a plan, and how often one could have parsed the same mlox.yaml meanwhile."""
    took = timed(lambda: planned_afresh(stack), arguments.runs)
    count = len(stack.plan().actions)
    print(
        f"{what}: {count} actions, {took:.2f} s by median ({verdict(took, TARGET_S)}; target {TARGET_S:.0f} s),"
        f" {took / reading:.1f} times parsing its mlox.yaml ({reading:.2f} s)"
    )


def planned_afresh(stack: Stack) -> None:
    """A plan from a text that was not read before, as in a new process."""
    with stack.workspace.path.open("a") as file:
        file.write("# again\n")
    stack.plan()


def timed(function: Callable[[], object], runs: int) -> float:
    """The median of some runs, in seconds."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def written(folder: Path, count: int) -> Path:
    """A workspace with so many services, in chains."""
    (folder / "services").mkdir(parents=True)
    (folder / "services" / "link.yaml").write_text(SERVICE)
    lines = ["name: chain", "id: chain-0001", "services:"]
    for number in range(count):
        before = "embedded" if number % CHAIN == 0 else f"link-{number - 1}"
        lines += [f"  link-{number}:", "    service: link", '    version: "1"', f"    needs: {{before: {before}}}"]
        lines += [f"    ports: {{main: {20000 + number}}}"]
    (folder / "mlox.yaml").write_text("\n".join(lines) + "\n")
    return folder


if __name__ == "__main__":
    main()
