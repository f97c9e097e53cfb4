"""What git has: the files of a working tree, what is about to be committed, and everything that was ever committed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mlox.errors import CommandError, RequirementError

LARGEST_BYTES = 100_000_000
"""Larger objects are counted and not looked at: they would have to be held in memory."""


@dataclass(frozen=True, slots=True)
class Blob:
    """An object of git: its id, the path under which it was committed first, its content; of a commit, its message."""

    id: str
    path: str
    content: bytes


class Repository:
    """A git repository, asked through the git program.

    Raises:
        RequirementError: there is no git.
        CommandError: git failed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def around(cls, folder: Path) -> Repository | None:
        """The repository that a folder is in."""
        for parent in (folder.absolute(), *folder.absolute().parents):
            if (parent / ".git").exists():
                return cls(parent)
        return None

    def files(self, below: Path) -> list[Path]:
        """Files below a folder: those that git has, and new ones that it does not ignore."""
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(below))
        return [self.root / name for name in _names(listed)]

    def staged(self) -> Iterator[Blob]:
        """What is about to be committed, where it differs from the last commit."""
        changed = _names(self._git("diff", "--cached", "--name-only", "-z", "--diff-filter=ACMRT"))
        for name in changed:
            yield Blob("", name, self._git("cat-file", "blob", f":{name}"))

    def history(self, known: frozenset[str] = frozenset()) -> Iterator[Blob]:
        """Every content and every message that a branch, a tag or a stash leads to, each once, without ``known``.

        What is larger than ``LARGEST_BYTES`` comes without its content.
        """
        lines = self._git("rev-list", "--objects", "--all").decode(errors="surrogateescape").splitlines()
        paths = {one: path for one, _, path in (line.partition(" ") for line in lines)}
        wanted = [one for one in paths if one not in known]
        with self._batch(wanted) as output:
            for one in wanted:
                kind, size = _heading(output)
                if kind == "tree" or size > LARGEST_BYTES:
                    _skip(output, size)
                    content = b""
                else:
                    content = output.read(size)
                output.read(1)
                if kind != "tree":
                    yield Blob(one, paths[one] if kind == "blob" else f"({kind} message)", content)

    def first_commit(self, blob: Blob) -> str:
        """The first commit that has an object, or the object's own id where it is a commit."""
        if blob.path.startswith("("):
            return blob.id
        found = self._git("log", "--all", "--format=%H", "--reverse", f"--find-object={blob.id}").decode().split()
        return found[0] if found else ""

    @contextmanager
    def _batch(self, ids: Sequence[str]) -> Iterator[IO[bytes]]:
        """``git cat-file --batch``, fed from a file: with a pipe, both sides could wait for each other."""
        import tempfile

        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{one}\n" for one in ids).encode())
            asked.seek(0)
            command = ("git", "cat-file", "--batch", "--buffer")
            with subprocess.Popen(command, cwd=self.root, stdin=asked, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None  # noqa: S101 - it was asked for
                try:
                    yield process.stdout
                finally:
                    process.kill()

    def _git(self, *words: str) -> bytes:
        try:
            done = subprocess.run(("git", *words), cwd=self.root, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise RequirementError("there is no program 'git'", hint="Install git, or scan single files.") from error
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise CommandError(
                f"git {words[0]} failed in {self.root}: {told[-1] if told else done.returncode}",
                hint="Look what `git status` says there.",
            )
        return done.stdout


def _names(listed: bytes) -> list[str]:
    return [name for name in listed.decode(errors="surrogateescape").split("\0") if name]


def _heading(output: IO[bytes]) -> tuple[str, int]:
    """The kind and the size of the object that follows."""
    words = output.readline().decode().split()
    if len(words) != 3:
        raise CommandError(
            f"git cat-file failed: {' '.join(words) or 'it ended'}", hint="Look what `git fsck` says there."
        )
    return words[1], int(words[2])


def _skip(output: IO[bytes], size: int) -> None:
    while size > 0:
        size -= len(output.read(min(size, 1 << 20)))
