"""A workspace for tests of components: a small template of its own, what stands in it, and adding and removing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlox.components import Record, Template
from mlox.components.updating import Update
from mlox.protocols import Completed
from mlox.stack import Components, Stack
from mlox.stack.component_changes import Changes

MANIFEST = """\
name: {name}
version: "{version}"
summary: a greeting
package: {package}
imports: greet
files: [__init__.py, words.py]
tests: [test_{package}.py]
dependencies: {dependencies}
services:
  redis: {{help: where greetings are kept, sets: {{keep: redis}}}}
options:
  keep: {{default: none, choices: [none, redis], constant: "words.py:KEEP", help: where greetings are kept}}
  times: {{type: integer, default: 1, constant: "words.py:TIMES", help: how often}}
"""
INIT = b'"""Greetings."""\n\nfrom .words import greet\n\n__all__ = ["greet"]\n'
WORDS = b'''"""What is said, and how often."""

KEEP = "none"  # see the options
TIMES: int = 1


def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello {name}. " * TIMES
'''
TEST = b'''"""Whether it greets."""

from project.%s import greet


def test_greets() -> None:
    assert greet("you")
'''


LOUDER = WORDS.replace(b'return f"Hello', b'return f"Welcome')
"""What upstream changes: what is said."""
WORDS_PATH = "src/churn/greeting/words.py"


def template_files(
    name: str = "greeting", *, version: str = "1.0", dependencies: str = '["tabulate>=0.9"]', **others: bytes
) -> dict[str, bytes]:
    """The files of a component, as a registry gives them."""
    package = name.replace("-", "_")
    manifest = MANIFEST.format(name=name, version=version, package=package, dependencies=dependencies)
    return {
        "component.yaml": manifest.encode(),
        f"src/project/{package}/__init__.py": INIT,
        f"src/project/{package}/words.py": WORDS,
        f"tests/test_{package}.py": TEST % package.encode(),
        **others,
    }


def offer(root: Path, files: Mapping[str, bytes], name: str = "greeting") -> None:
    """Put a component into the workspace's own registry."""
    for path, content in files.items():
        target = root / "mlx-components" / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


class Shop:
    """A workspace ``churn`` in which components come and go."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.resolved: list[str] = []
        self.components = Components(Stack("churn", root), resolve=self.resolve)
        self.components.stack.init()

    def resolve(self, requirements: bytes) -> Completed:
        """All versions go together here; what uv says is tested in tests/live/test_resolving.py."""
        self.resolved += requirements.decode().splitlines()
        return Completed(0, "", "")

    def add(self, name: str = "greeting", **asked: object) -> Record:
        """Add a component; returns what is recorded."""
        self.components.add(self.components.template(name), **asked)  # type: ignore[arg-type]
        return self.components.added()[name]

    def template(self, name: str = "greeting") -> Template:
        return self.components.template(name)

    def remove(self, name: str = "greeting", *, keep: bool = False) -> tuple[str, ...]:
        """Remove a component; returns the files that stay since they were edited."""
        return self.components.remove(name, keep=keep).kept

    @property
    def changes(self) -> Changes:
        return Changes(self.components)

    def update(self, name: str = "greeting", **options: object) -> Update:
        """Bring a component to what the registry has; there is something to do."""
        done = self.changes.update(name, self.template(name), options=options)  # type: ignore[arg-type]
        assert done is not None
        return done

    def state(self, name: str = "greeting") -> str:
        return self.components.state(self.components.added()[name])

    def put(self, where: str, text: str | bytes) -> None:
        path = self.root / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read(self, where: str) -> str:
        return (self.root / where).read_bytes().decode()

    def tree(self) -> dict[str, bytes | None]:
        """Every file and folder, without those that only this machine needs and the registry."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            parts = path.relative_to(self.root).parts
            if parts[0] != "mlx-components" and parts[:2] != (".mlox", "local"):
                found["/".join(parts)] = path.read_bytes() if path.is_file() else None
        return found


def newer(shop: Shop, words: bytes = LOUDER, version: str = "1.1") -> None:
    """The registry has another version."""
    offer(shop.root, template_files(version=version) | {"src/project/greeting/words.py": words})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A workspace whose registry has the component ``greeting``."""
    root = tmp_path / "churn"
    root.mkdir()
    offer(root, template_files())
    return Shop(root)
