"""What ``doctor`` looks at: the machine, the data home, the packages, who owns the import name."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlox import __version__
from mlox.errors import DISTRIBUTION, MloxError
from mlox.protocols import Question
from mlox.verbs.context import Context


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""


def examine(ctx: Context) -> tuple[Check, ...]:
    """Every check, also when one of them fails."""
    return tuple(
        _safely(look, ctx) for look in (_python, _import_name, _installer, _data_home, _machine, _workspace, _identity)
    )


def _safely(look: Callable[[Context], Check], ctx: Context) -> Check:
    try:
        return look(ctx)
    except MloxError as error:
        return Check(look.__name__.strip("_").replace("_", " "), "fail", error.problem, error.hint or "")


def _python(_ctx: Context) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok" if sys.version_info >= (3, 11) else "fail", version, "Use Python 3.11 or later.")


def _import_name(_ctx: Context) -> Check:
    """Other distributions that put files into ``mlox/`` overwrite ours, or ours theirs."""
    others = sorted(set(importlib.metadata.packages_distributions().get("mlox", [])) - {DISTRIBUTION})
    if others:
        hint = f"pip uninstall {' '.join(others)} && pip install --force-reinstall --no-deps {DISTRIBUTION}"
        return Check("import name", "fail", f"{', '.join(others)} also owns the package mlox", hint)
    return Check("import name", "ok", f"mlox is {DISTRIBUTION} {__version__}")


def _installer(_ctx: Context) -> Check:
    from uv import find_uv_bin

    try:
        return Check("uv", "ok", find_uv_bin())
    except FileNotFoundError:
        return Check("uv", "fail", "the uv program is missing", "pip install --force-reinstall uv")


def _data_home(ctx: Context) -> Check:
    home = ctx.stack().surroundings().home
    folder = next(path for path in (home, *home.parents) if path.exists())
    if not os.access(folder, os.W_OK):
        return Check(
            "data home", "fail", f"{home} cannot be written", "Set MLOX_DATA_HOME to a folder that you can write."
        )
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "warn"] = "ok" if free > 2e9 else "warn"
    return Check("data home", state, f"{home}, {free / 1e9:.1f} GB free", "Free some space: mlox clean.")


def _machine(ctx: Context) -> Check:
    facts = ctx.stack().surroundings().backends["local"].facts(Question())
    free = facts.memory_free_bytes
    detail = f"{facts.memory_bytes / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB free"
    return Check("memory", "ok" if free > 1e9 else "warn", detail, "End something that takes memory.")


def _workspace(ctx: Context) -> Check:
    workspace = ctx.stack().workspace
    if not workspace.exists:
        return Check("workspace", "warn", f"no mlox.yaml in {workspace.root} or above", "Make one: mlox init.")
    spec = workspace.read()
    state: Literal["ok", "warn"] = "ok" if os.access(workspace.root, os.W_OK) else "warn"
    return Check("workspace", state, f"{spec.name} in {workspace.root}", "Make the folder writable.")


def _identity(ctx: Context) -> Check:
    around = ctx.stack().surroundings()
    path = Path(around.home) / "identity"
    found = False
    for store in (around.store, around.vault) if around.spec.id else ():
        for row in store.describe()[:1]:
            found = bool(store.get(row.name, row.version))
    if found:
        return Check("key", "ok", "it opens the secrets of this stack")
    return Check("key", "ok", f"{path}, unused here" if path.exists() else "none yet; the first secret makes one")
