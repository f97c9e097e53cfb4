"""A merge of git's, seen from its driver: what both branches know of the components of a workspace."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from mlox.components import Tree
from mlox.components.branching import merge_extended
from mlox.components.merge import Level, MergeResult
from mlox.components.records import BASE
from mlox.errors import MloxError
from mlox.specs.naming import RECORDS

HEAD_OF_THEIRS = "GITHEAD_"
"""How the variables begin by which ``git merge`` tells whoever merges for it what is merged: the commit follows."""
GIT_S = 30


def merge_on_branches(path: str | None, base: bytes, left: bytes, right: bytes, level: Level) -> MergeResult | None:
    """Merge a module to which components add on both branches; ``path`` is the one in the repository, git's ``%P``.

    None outside of ``git merge``, where no workspace stands above the file, and where the records do not help.
    """
    if path is None or not path.endswith(".py"):
        return None
    theirs = sorted(name.removeprefix(HEAD_OF_THEIRS) for name in os.environ if name.startswith(HEAD_OF_THEIRS))
    root = _workspace_above(path) if len(theirs) == 1 else None
    if root is None:
        return None
    inside = PurePosixPath(path).relative_to(root).as_posix()
    with tempfile.TemporaryDirectory(prefix="mlox-merge-") as folder:
        ours = _checked_out("HEAD", root, Path(folder) / "ours")
        other = _checked_out(theirs[0], root, Path(folder) / "theirs")
        try:
            return merge_extended(inside, base, left, right, Tree(ours), Tree(other), level)
        except MloxError:  # a record that is damaged, or a side that is no Python: what git and items make of it stands
            return None


def _workspace_above(path: str) -> str | None:
    """The nearest folder above a file that has components."""
    folders = [parent.as_posix() for parent in PurePosixPath(path).parents]
    return next((one for one in folders if _git("ls-tree", "-d", "HEAD", f"{one}/{RECORDS}".removeprefix("./"))), None)


def _checked_out(commit: str, root: str, folder: Path) -> Path:
    """The records of a commit, in a folder of their own."""
    folder.mkdir()
    for part in (RECORDS, BASE):
        archive = _git("archive", "--format=tar", f"{commit}:{root}/{part}".replace(":./", ":"))
        if archive:
            with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
                packed.extractall(folder / part, filter="data")
    return folder


def _git(*words: str) -> bytes:
    """What git answers; nothing where it fails."""
    try:
        done = subprocess.run(("git", *words), capture_output=True, check=False, timeout=GIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""
