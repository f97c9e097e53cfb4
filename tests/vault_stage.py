"""People who share a vault: each with a home and a clone of one real git repository."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from mlox.secret import Secret
from mlox.secret_stores.vault import VaultStore
from mlox.workspace import ATTRIBUTES, IGNORED

BESIDE = {".gitignore": IGNORED, ".gitattributes": ATTRIBUTES}
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    """What git says, which must succeed."""
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Person:
    """Somebody with a home of her own and a clone of the repository."""

    name: str
    home: Path
    clone: Path

    @property
    def vault(self) -> VaultStore:
        """The vault in her clone, as a new process sees it."""
        return VaultStore(self.clone / ".mlox", self.home / "identity", self.home / "agreed", beside=BESIDE)

    def set(self, name: str, value: str) -> str:
        """Set a secret and commit it."""
        version = self.vault.set(name, Secret(value))
        self.commit(f"Set {name}")
        return version

    def get(self, name: str, version: str | None = None) -> str:
        """The value of a secret."""
        return self.vault.get(name, version).reveal()

    def commit(self, subject: str = "Change the vault") -> None:
        """Commit all there is, if anything."""
        git(self.clone, "add", "--all")
        if git(self.clone, "status", "--porcelain"):
            git(self.clone, "commit", "-m", subject)

    def push(self) -> None:
        """Commit and push."""
        self.commit()
        git(self.clone, "push", "-q", "origin", "HEAD:main")

    def pull(self) -> None:
        """Fetch and merge, which must go without a conflict."""
        self.commit()
        git(self.clone, "fetch", "-q", "origin")
        git(self.clone, "merge", "-q", "--no-edit", "origin/main")


class Team:
    """A repository, and people who have clones of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q", "--bare", "-b", "main", "shared.git")

    def person(self, name: str) -> Person:
        """Somebody new, with a fresh clone."""
        home, clone = self.folder / name / "home", self.folder / name / "clone"
        home.mkdir(parents=True)
        git(self.folder, "clone", "-q", "shared.git", str(clone))
        git(clone, "checkout", "-q", "-B", "main")
        return Person(name, home, clone)

    def founder(self, name: str = "anna", **values: str) -> Person:
        """Somebody who made the vault with these secrets, and pushed it."""
        person = self.person(name)
        for key, value in values.items():
            person.set(key, value)
        person.push()
        return person

    def member(self, name: str, founder: Person) -> Person:
        """Somebody whom ``founder`` has let in, with a clone that has all."""
        founder.push()
        person = self.person(name)
        person.pull()
        person.vault.sharing.join(name)
        person.push()
        founder.pull()
        founder.vault.sharing.share(founder.vault.sharing.find(name))
        founder.push()
        person.pull()
        person.vault.sharing.agree(person.vault.sharing.recipients())
        return person
