"""Projects on paper: every form of a list of requirements, which components come into and go from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlox.components.dependencies import requirements_added, requirements_removed
from mlox.components.records import DependencyRecord
from mlox.components.tree import Tree
from mlox.journal import Edit

FEAST = "feast[redis]>=0.67"
FORMS = {
    "lines": '[project]\nname = "x"\ndependencies = [\n    "a>=1",\n    "b",  # why\n]\n\n[tool.x]\na = 1\n',
    "no last comma": '[project]\ndependencies = [\n  "a>=1",\n  "b"\n]\n',
    "comment after no comma": '[project]\ndependencies = [\n  "a" # x\n]\n',
    "only a comment": "[project]\ndependencies = [\n  # none yet\n]\n",
    "in line": '[project]\ndependencies = ["a", "b"]\n',
    "in line with comma": '[project]\ndependencies = ["a", "b",]  # two\n',
    "empty": '[project]\ndependencies = []\nname = "x"\n',
    "empty with space": "[project]\ndependencies = [ ]\n",
    "empty lines": "[project]\ndependencies = [\n]\n",
    "hanging": '[project]\ndependencies = ["a",\n                "b"]\n',
    "windows": '[project]\r\nname = "x"\r\ndependencies = [\r\n  "a",\r\n]\r\n',
    "windows without": '[project]\r\nname = "x"\r\n\r\n[tool.x]\r\na = 1\r\n',
    "mixed line ends": '[project]\r\nname = "x"\ndependencies = [\r\n  "a",\n]\n',
    "a mark": '\ufeff[project]\nname = "x"\ndependencies = ["a"]\n',
    "none": '# mine\n[project]\nname = "x"\n\n[tool.x]\na = 1\n',
    "none and a sub-table": '[project]\nname = "x"\n[project.scripts]\na = "b:c"\n',
    "none and a table between": '[project]\nname = "x"\n[tool.a]\n[project.urls]\na = "b"\n',
    "none and no line end": '[project]\nname = "x"',
    "only a head": "[project]",
    "dotted": 'project.name = "x"\nproject.dependencies = ["a"]\n',
    "tabs and marks": "[project]\ndependencies = [\n\t'a; python_version < \"3.12\"',\n]\n",
}
POETRY = {
    "usual": (
        '[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3.11"\n'
        'a = {version = "^1", extras = ["b"]}\n\n[x]\n'
    ),
    "windows": '[tool.poetry.dependencies]\r\npython = "^3.11"\r\n',
    "no line end": '[tool.poetry.dependencies]\npython = "^3.11"',
    "empty": "[tool.poetry.dependencies]",
    "dynamic": '[project]\nname = "x"\ndynamic = ["dependencies"]\n\n[tool.poetry.dependencies]\n# why\na = "*"\n',
}
LINES = {
    "usual": "# What it needs.\n\n-r more.txt\n# web\nflask>=3  # why\n",
    "none": "",
    "no line end": "flask",
    "only an option": "--index-url https://example.org",
    "windows": "flask\r\ndjango\r\n",
    "comment": "# flask\nflask\n",
}
GROUPS = {
    "one group": '[dependency-groups]\nmain = ["a"]\n',
    "runtime": "[dependency-groups]\ndev = []\nruntime = [\n]\n",
}
CASES = [
    *(("pyproject.toml", text) for forms in (FORMS, POETRY, GROUPS) for text in forms.values()),
    *(("requirements.txt", text) for text in LINES.values()),
    ("requirements/base.in", "flask\n"),
]


class Paper(Tree):
    """Files in memory."""

    def __init__(self, **files: str) -> None:
        super().__init__(Path("/paper"))
        self.files = {path.replace("__", "/"): text.encode() for path, text in files.items()}

    def read(self, where: str) -> bytes | None:
        return self.files.get(where)

    def add(self, wanted: Sequence[str], others: Sequence[DependencyRecord] = ()) -> list[DependencyRecord]:
        written = requirements_added(self, wanted, others, new=lambda: b"[project]\ndependencies = []\n")
        self._write(written.edits)
        return list(written.records)

    def remove(
        self, gone: Sequence[DependencyRecord], others: Sequence[DependencyRecord] = (), used: Sequence[str] = ()
    ) -> list[str]:
        edits, out = requirements_removed(self, gone, others, used=lambda _: used)
        self._write(edits)
        return out

    def _write(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            assert edit.content is not None
            self.files[edit.path.relative_to(self.root).as_posix()] = edit.content

    def text(self) -> str:
        (text,) = (text for path, text in self.files.items() if "more" not in path)
        return text.decode()


def paper(path: str, text: str) -> Paper:
    made = Paper()
    made.files[path] = text.encode()
    return made
