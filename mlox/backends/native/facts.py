"""What this machine is and has: memory, disk, ports in use, programs with their versions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import psutil

from mlox.backends.native import account, ports
from mlox.backends.native.launching import search_path
from mlox.backends.native.site import Site
from mlox.errors import CommandError
from mlox.protocols import Facts, Program, Question

ASK_S = 60.0
"""A Java that has to share its cores takes more than ten to tell its version."""
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def look(site: Site, question: Question) -> Facts:
    """The facts; changes nothing."""
    memory = psutil.virtual_memory()
    total = min([memory.total, *_limits()])
    folder = next(each for each in (site.home, *site.home.parents) if each.is_dir())
    found = dict(_versions(site, question.programs))
    return Facts(
        home=str(site.home),
        memory_bytes=total,
        memory_free_bytes=min(memory.available, total),
        disk_free_bytes=shutil.disk_usage(folder).free,
        ports_taken=frozenset(number for number in question.ports if ports.taken(number)),
        programs={name: version for name, version in found.items() if version is not None},
        silent=frozenset(name for name, version in found.items() if version is None),
    )


def _versions(site: Site, programs: Iterable[Program]) -> Iterable[tuple[str, str | None]]:
    """The programs that are there, each with its version; None where it does not tell."""
    runs_as = account.existing()
    for program in programs:
        path = search_path(runs_as, patterns=program.folders)
        found = shutil.which(program.name, path=path)
        if found is None:
            continue
        if not program.version_argv:
            yield program.name, ""
            continue
        argv = (shutil.which(program.version_argv[0], path=path) or found, *program.version_argv[1:])
        try:
            done = site.transport.run(argv, timeout_s=ASK_S, account=runs_as.switch)
        except CommandError:
            yield program.name, None
            continue
        match = re.search(program.version_pattern, done.stdout + done.stderr) if done.code == 0 else None
        yield program.name, None if match is None else match.group(1) if match.re.groups else match.group()


def _limits() -> Iterable[int]:
    """The memory limits of the container that we may be in (cgroup v2, then v1)."""
    for path in map(Path, LIMITS):
        try:
            yield int(path.read_text())
        except (OSError, ValueError):
            continue
