"""What a run was made with: commit, interpreter, distributions, seeds. Never the environment variables."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import random
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any


def git_facts(folder: Path | None = None) -> dict[str, str]:
    """The commit, the branch, and whether something is changed that is in no commit; nothing where there is no git."""
    commit = _git("rev-parse", "HEAD", folder=folder)
    if not commit:
        return {}
    changed = _git("status", "--porcelain", "--untracked-files=no", folder=folder)
    return {
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.branch": _git("rev-parse", "--abbrev-ref", "HEAD", folder=folder) or "",
        "git.changed": "unknown" if changed is None else str(bool(changed)).lower(),
    }


def machine_facts() -> dict[str, str]:
    """The interpreter and the system."""
    return {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}


def requirements() -> str:
    """The distributions of this environment, as a ``requirements.txt`` with exact versions."""
    found = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items(), key=lambda one: one[0].lower()))


def seed_everything(seed: int) -> list[str]:
    """Seed Python's random numbers, NumPy's and PyTorch's, where they are installed; returns which were.

    Generators that somebody made with a seed of their own are not touched, and hashes of texts only change with
    ``PYTHONHASHSEED``, which has to be set before Python starts.
    """
    random.seed(seed)
    seeded = ["random"]
    # By name, since neither has to be there; imported, since who imports it later would get it without a seed.
    if importlib.util.find_spec("numpy") is not None:
        numpy: Any = importlib.import_module("numpy")
        numpy.random.seed(seed % 2**32)
        seeded.append("numpy")
    if importlib.util.find_spec("torch") is not None:
        torch: Any = importlib.import_module("torch")
        torch.manual_seed(seed)
        seeded.append("torch")
    return seeded


def _git(*words: str, folder: Path | None) -> str | None:
    """What git says; None where it fails, or is not there."""
    try:
        done = subprocess.run(("git", *words), cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
