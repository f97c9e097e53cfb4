"""What redaction costs in a real kernel: 10 MB of several texts and small outputs, paired with the same without it.

Pairs alternate and begin with another side each time; beside the time that passes, the processor time of the kernel is
told, on which others that use the machine have less influence.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import KernelManager
from measuring.environments import environment
from measuring.stopwatch import load, verdict

TARGET_RATIO = 1.05
TARGET_S = 0.001
SECRETS = (20, 100)
TEXTS = """
import base64, json, random, string
from IPython.display import display
random.seed(1)
LENGTH = 10_000_000
words = ["".join(random.choices(string.ascii_lowercase, k=random.randint(2, 9))) for _ in range(3000)]
prose = " ".join(random.choices(words, k=1_700_000))[:LENGTH]
lines = [prose[i:i + 99] for i in range(0, LENGTH, 100)]
def filled(line):
    made, size = [], 0
    while size < LENGTH:
        made.append(line(len(made)))
        size += len(made[-1])
    return "".join(made)[:LENGTH]
logs = filled(lambda i: json.dumps({"ts": 1.7e9 + i, "level": "INFO", "logger": "Trainer", "id": "%016x" %
    random.getrandbits(64), "loss": random.random(), "message": lines[i % len(lines)][:40].title()}) + "\\n")
def bar(i, block):
    return f"\\rEpoch {i // 100}: {i % 100:3d}%|{block * (i % 40):40}| {i}/100000 [{random.random():.2f}it/s]"
bars = filled(lambda i: bar(i, "#"))
blocks = filled(lambda i: bar(i, "█"))
numbers = filled(lambda i: f"{random.random():.6f} ")
table = filled(lambda i: f"<tr><th>{i}</th><td>{random.random():.6f}</td><td>{lines[i % len(lines)][:30]}</td></tr>\\n")
hexadecimal = filled(lambda i: random.randbytes(64).hex() + "\\n")
encoded = base64.b64encode(random.randbytes(LENGTH * 3 // 4)).decode()
printable = "".join(random.choices(string.printable[:95], k=LENGTH))
coloured = filled(lambda i: f"\\x1b[32m2026-11-21\\x1b[0m \\x1b[1;36mINFO\\x1b[0m {lines[i % len(lines)]}\\n")
spans = filled(lambda i: f'<pre><span class="n">{i}</span> {lines[i % len(lines)]}</pre>\\n')
def shown(text):
    display({"text/plain": text}, raw=True)
"""
KNOWN = """
%load_ext mlox_jupyter
%mlox init bench
import mlox
for number in range({}):
    value = "".join(random.choices("abcdefghijklmnopqrstuvwxyzABCDEFG0123456789-_", k=32))
    mlox.secrets.set(f"TOKEN_{{number}}", value)
"""
OUTPUTS = {
    "words in one print": "print(prose)",
    "words in 100,000 lines": "for line in lines: print(line)",
    "words displayed": "shown(prose)",
    "JSON logs": "shown(logs)",
    "progress bars": "shown(bars)",
    "numbers": "shown(numbers)",
    "a table in HTML": "shown(table)",
    "lines of hex": "shown(hexadecimal)",
    "base64": "shown(encoded)",
    "random ASCII": "shown(printable)",
    "bars of block characters": "shown(blocks)",
    "lines with colours": "shown(coloured)",
    "HTML with spans": "shown(spans)",
}
SMALL = {"a printed line": "print('epoch 3: auc 0.91')", "a value": "{'auc': 0.91}"}


class Kernel:
    """A kernel and the time that a cell takes, from its request to the message that it is idle."""

    def __init__(self, folder: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        own = environment(MLOX_DATA_HOME=f"{folder}/.data", IPYTHONDIR=f"{folder}/.ipython")
        self.manager.start_kernel(cwd=folder, env=own, extra_arguments=["--log-level=ERROR"])
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def seconds(self, source: str) -> float:
        began = time.perf_counter()
        request = self.client.execute(source, store_history=False)
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != request:
                continue
            assert message["msg_type"] != "error", message["content"]
            if message["content"].get("execution_state") == "idle":
                return time.perf_counter() - began

    def timed(self, source: str) -> tuple[float, float]:
        """The same, and the processor time that the kernel used for it."""
        before = self.processor_s()
        passed = self.seconds(source)
        return passed, self.processor_s() - before

    def processor_s(self) -> float:
        """The processor time that it has used: to the nanosecond where Linux tells it, else in steps of 10 ms."""
        provisioner: Any = self.manager.provisioner
        threads = list(Path(f"/proc/{provisioner.pid}/task").glob("*/schedstat"))
        if threads:
            return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
        used = psutil.Process(provisioner.pid).cpu_times()
        return used.user + used.system

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10, help="pairs of each large output (default 10)")
    parser.add_argument("--secrets", type=int, action="append", help=f"how many (default {SECRETS})")
    options = parser.parse_args()
    for secrets in options.secrets or SECRETS:
        with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
            with_it, without = Kernel(folder), Kernel(folder)
            try:
                for kernel in (with_it, without):
                    kernel.seconds(TEXTS)
                with_it.seconds(KNOWN.format(secrets))
                print(f"a workspace with {secrets} secrets of 32 characters, {options.pairs} pairs of 10 MB each")
                for name, source in OUTPUTS.items():
                    _large(name, source, with_it, without, options.pairs)
                for name, source in SMALL.items():
                    _small(name, source, with_it, without, options.pairs * 20)
            finally:
                with_it.close()
                without.close()
    print(load())


def _large(name: str, source: str, with_it: Kernel, without: Kernel, pairs: int) -> None:
    """Print the medians of the pairs' ratios."""
    mine, bare = _pairs(lambda kernel: kernel.timed(source), with_it, without, pairs)
    passed, worked = (statistics.median(a[i] / b[i] for a, b in zip(mine, bare, strict=True)) for i in (0, 1))
    print(
        f"{name}: {worked:.3f} of the processor time ({statistics.median(b[1] for b in bare) * 1000:.0f} ms,"
        f" target {TARGET_RATIO}: {verdict(worked, TARGET_RATIO)}); {passed:.3f} of the time that passes"
        f" ({statistics.median(b[0] for b in bare) * 1000:.0f} ms: {verdict(passed, TARGET_RATIO)})",
        flush=True,
    )


def _small(name: str, source: str, with_it: Kernel, without: Kernel, pairs: int) -> None:
    """Print the median of the pairs' differences."""
    mine, bare = _pairs(lambda kernel: kernel.seconds(source), with_it, without, pairs)
    more = statistics.median(a - b for a, b in zip(mine, bare, strict=True))
    print(
        f"{name}: {more * 1000:+.2f} ms on {statistics.median(bare) * 1000:.1f} ms, median of {pairs} pairs"
        f" (target {TARGET_S * 1000:g} ms more: {verdict(more, TARGET_S)})"
    )


def _pairs(
    measure: Callable[[Kernel], Any], with_it: Kernel, without: Kernel, pairs: int
) -> tuple[list[Any], list[Any]]:
    """What is measured of either kernel, in turn."""
    times: dict[Kernel, list[Any]] = {with_it: [], without: []}
    for kernel in times:
        measure(kernel)
    for turn in range(pairs):
        for kernel in (with_it, without) if turn % 2 else (without, with_it):
            times[kernel].append(measure(kernel))
    return times[with_it], times[without]


if __name__ == "__main__":
    main()
