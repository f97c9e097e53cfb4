"""How much `mlox.secrets.get` costs beyond the decryption of that file, paired in one process."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyrage
from measuring.stopwatch import load, verdict

import mlox

TARGET_MS = 1.0
SECRETS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="pairs of a get and a decryption (default 500)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="mlox-bench-") as folder:
        os.environ["MLOX_DATA_HOME"] = f"{folder}/data"
        root = Path(folder) / "churn"
        root.mkdir()
        mlox.Stack("churn", path=root).init()
        for number in range(SECRETS):
            mlox.secrets.set(f"TOKEN_{number}", "k3Jd0sP2-k3Jd0sP2", path=root)
        name = f"TOKEN_{SECRETS // 2}"
        (file,) = (root / ".mlox" / "secrets" / f"+token_{SECRETS // 2}").iterdir()
        sealed = file.read_bytes()
        key = pyrage.x25519.Identity.from_str((Path(folder) / "data" / "identity").read_text().splitlines()[-1])
        os.chdir(root)
        gets, decryptions = [], []
        for _ in range(runs):
            gets.append(_milliseconds(lambda: mlox.secrets.get(name)))
            decryptions.append(_milliseconds(lambda: pyrage.decrypt(sealed, [key])))
        os.chdir("/")
    beyond = statistics.median(get - decryption for get, decryption in zip(gets, decryptions, strict=True))
    print(f"one of {SECRETS} secrets in a vault, {runs} pairs; {load()}")
    print(f"mlox.secrets.get {statistics.median(gets):.2f} ms, pyrage.decrypt {statistics.median(decryptions):.2f} ms")
    print(f"beyond decryption: {beyond:.2f} ms (target {TARGET_MS:g} ms: {verdict(beyond, TARGET_MS)})")


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
