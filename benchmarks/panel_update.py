"""What an update of the stack panel costs over the verb `status`, which it calls; on a back end in memory.

Both are time of the processor, probes in threads included; an update with what is sent to the browser, made into the
bytes of a kernel's message. Less is better.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import comm
from comm.base_comm import BaseComm
from jupyter_client.session import Session
from measuring.stopwatch import load, verdict
from plan_200 import Machine, written

from mlox import plugins
from mlox.protocols import silent
from mlox.stack import Stack
from mlox_jupyter.panels import stack as panels
from mlox_jupyter.panels.calling import Caller
from mlox_jupyter.panels.panel import LOOK_S

TARGET = 2.0
USAGE_S = panels.USAGE_S
NEVER_S, ALWAYS_S = math.inf, 0.0
IDENTITY = "chain-0001"


class KernelComm(BaseComm):
    """A comm that makes of each message what a kernel sends, and drops it."""

    session = Session(key=b"of-the-benchmark")
    sent_bytes = 0

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        content = {"data": data or {}, "comm_id": self.comm_id, **keys}
        parts = self.session.serialize(self.session.msg(msg_type, content, metadata=metadata))
        KernelComm.sent_bytes += sum(map(len, [*parts, *(buffers or ())]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=100, help="how many services (default 100)")
    parser.add_argument("--rounds", type=int, default=40, help="how often, at most once for each service (default 40)")
    arguments = parser.parse_args()
    plugins.TABLE["backends", "native"] = plugins.Row("plan_200:Machine")
    comm.create_comm = KernelComm
    print(f"an update of the stack panel over `status`: {arguments.services} services, {arguments.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
        os.environ["MLOX_DATA_HOME"] = f"{folder}/home"
        workspace = written(Path(folder) / "chain", arguments.services)
        Stack(path=workspace).up()
        panel = opened(workspace)
        rounds = min(arguments.rounds, arguments.services)
        tell("nothing changed", panel, rounds, lambda _: None)
        tell("one service changed", panel, rounds, stop)
        tell_usage(panel, rounds)
        panel.close()
    print(load())


def opened(workspace: Path) -> panels.StackPanel:
    """A panel that looks when it is told to, and does not ask what services use."""
    panels.USAGE_S = NEVER_S
    panel = panels.StackPanel(Caller(workspace))
    unseen = {"method": "custom", "content": {"ask": "watch", "view": "none", "visible": False}}
    panel.comm.handle_msg({"content": {"data": unseen}, "buffers": []})
    time.sleep(2 * LOOK_S)  # a look that has begun ends
    return panel


def stop(number: int) -> None:
    """Stop one service."""
    Machine.backend.stop(IDENTITY, f"link-{number}", "server", purge=False, emit=silent)


def tell(what: str, panel: panels.StackPanel, rounds: int, change: Callable[[int], None]) -> None:
    """The median time of an update over that of `status`, in turns; each begins every second round."""
    times: dict[str, list[float]] = {"status": [], "update": []}
    calls = {"status": lambda: panel.caller.call("status"), "update": panel.refresh}
    before = KernelComm.sent_bytes
    for number in range(rounds):
        change(number)
        for name in sorted(calls, reverse=number % 2 == 0):
            times[name].append(cpu_of(calls[name]))
    status, update = statistics.median(times["status"]), statistics.median(times["update"])
    sent = (KernelComm.sent_bytes - before) / rounds / 1000
    print(
        f"{what}: {update / status:.2f} times ({verdict(update / status, TARGET)}; target {TARGET:.0f});"
        f" update {update * 1000:.0f} ms, status {status * 1000:.0f} ms, {sent:.0f} kB sent each"
    )


def tell_usage(panel: panels.StackPanel, rounds: int) -> None:
    """What it costs to ask what services use, over `status`, and what updates cost with that on average."""
    times: dict[str, list[float]] = {"status": [], "update": [], "usage": []}
    for _ in range(max(3, rounds // 8)):
        times["status"].append(cpu_of(lambda: panel.caller.call("status")))
        times["update"].append(cpu_of(panel.refresh))
        panels.USAGE_S = ALWAYS_S
        times["usage"].append(cpu_of(panel.besides))
        panels.USAGE_S = NEVER_S
    status, update, usage = (statistics.median(times[name]) for name in times)
    average = (update + usage * LOOK_S / USAGE_S) / status
    print(
        f"what services use, every {USAGE_S:.0f} s: {usage / status:.2f} times; with that, an update on average:"
        f" {average:.2f} times ({verdict(average, TARGET)})"
    )


def cpu_of(function: Callable[[], object]) -> float:
    """The time of the processor that a call takes in this process, in seconds."""
    began = time.process_time()
    function()
    return time.process_time() - began


if __name__ == "__main__":
    main()
