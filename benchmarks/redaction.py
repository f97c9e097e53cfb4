"""What redaction costs in a real kernel: 10 MB of text, and a small message, each paired with the same without it."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from typing import Any

import psutil
from jupyter_client.manager import KernelManager
from measuring.environments import environment
from measuring.stopwatch import load, verdict

TARGET_RATIO = 1.05
TARGET_S = 0.001
SECRETS = (20, 100)
TEXT = """
import random
random.seed(1)
words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(2, 9))) for _ in range(3000)]
text = " ".join(random.choices(words, k=1_700_000))[:10_000_000]
lines = [text[i:i + 99] for i in range(0, len(text), 100)]
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
    "10 MB in one print": "print(text)",
    "10 MB in 100,000 lines": "for line in lines: print(line)",
    "10 MB displayed": "from IPython.display import display\ndisplay({'text/plain': text}, raw=True)",
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

    def processor_s(self) -> float:
        """The processor time that it has used, in steps of 10 ms."""
        provisioner: Any = self.manager.provisioner
        used = psutil.Process(provisioner.pid).cpu_times()
        return used.user + used.system

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10, help="pairs of each large output (default 10)")
    pairs = parser.parse_args().pairs
    for secrets in SECRETS:
        with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
            with_it, without = Kernel(folder), Kernel(folder)
            try:
                for kernel in (with_it, without):
                    kernel.seconds(TEXT)
                with_it.seconds(KNOWN.format(secrets))
                print(
                    f"a workspace with {secrets} secrets of 32 characters, {pairs} pairs, each begun with another side"
                )
                for name, source in OUTPUTS.items():
                    _compare(name, source, with_it, without, pairs, small=False)
                for name, source in SMALL.items():
                    _compare(name, source, with_it, without, pairs * 20, small=True)
            finally:
                with_it.close()
                without.close()
    print(load())


def _compare(name: str, source: str, with_it: Kernel, without: Kernel, pairs: int, *, small: bool) -> None:
    """Print the ratio of the minima of a large output, and the median of the differences of a small one."""
    times: dict[Kernel, list[float]] = {with_it: [], without: []}
    for kernel in times:
        kernel.seconds(source)
    used = {kernel: -kernel.processor_s() for kernel in times}
    for turn in range(pairs):
        for kernel in (with_it, without) if turn % 2 else (without, with_it):
            times[kernel].append(kernel.seconds(source))
    if small:
        more = statistics.median(a - b for a, b in zip(times[with_it], times[without], strict=True))
        bare = statistics.median(times[without])
        print(
            f"{name}: {more * 1000:+.2f} ms on {bare * 1000:.1f} ms, median of {len(times[without])} pairs"
            f" (target {TARGET_S * 1000:g} ms more: {verdict(more, TARGET_S)})"
        )
        return
    worked = {kernel: used[kernel] + kernel.processor_s() for kernel in times}
    mine, bare = min(times[with_it]), min(times[without])
    ratio = mine / bare
    print(
        f"{name}: {mine * 1000:.0f} ms against {bare * 1000:.0f} ms,"
        f" ratio {ratio:.3f} (target {TARGET_RATIO}: {verdict(ratio, TARGET_RATIO)});"
        f" of the kernel's processor time {worked[with_it] / worked[without]:.3f}"
    )


if __name__ == "__main__":
    main()
