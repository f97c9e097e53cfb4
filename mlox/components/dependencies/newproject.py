"""The ``pyproject.toml`` of a repository that has none."""

from __future__ import annotations

NEW = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[tool.hatch.build.targets.wheel]
packages = ["{folder}"]

[tool.pytest.ini_options]
pythonpath = ["{path}"]
testpaths = ["tests"]
"""


def new_project(name: str, folder: str, path: str) -> bytes:
    """A ``pyproject.toml`` for a repository without one, with no dependencies yet."""
    return NEW.format(name=name, folder=folder.partition("/")[0] if not path else folder, path=path or ".").encode()
