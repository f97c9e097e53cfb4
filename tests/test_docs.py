"""Whether the documents say what is so: the verbs in them exist, all of them are told, links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from mlox.errors import UnknownNameError
from mlox.verbs import all_verbs, find_verb

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:\s]+)\)")
COMMAND = re.compile(r"(?:^|= )%?mlox +((?:[a-z]\S*)(?: +[a-z]\S*)?)", re.MULTILINE)
INLINE = re.compile(r"`%?mlox ([a-z][^`]*)`")


def commands(text: str) -> list[str]:
    """What a document tells to type after ``mlox``: in blocks of code and in lines."""
    blocks = [body for kind, body in BLOCK.findall(text) if kind in ("sh", "python")]
    return [*INLINE.findall(text), *(found for body in blocks for found in COMMAND.findall(body))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_exists(document: Path) -> None:
    for command in commands(document.read_text("utf-8")):
        try:
            find_verb(command.split())
        except UnknownNameError as error:
            pytest.fail(f"{document.name}: mlox {command}: {error.problem}")


def test_the_readme_shows_commands() -> None:
    assert {"up mlflow", "run mlflow", "down", "use mlflow"} <= set(commands((ROOT / "README.md").read_text("utf-8")))


def test_the_readme_tells_every_verb_and_no_other() -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("| verb |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    told = {re.sub(r" *[\[A-Z-].*", "", text) for cell in cells for text in re.findall(r"`([^`]+)`", cell)}
    assert told == set(all_verbs())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_into_the_repository_leads_somewhere(document: Path) -> None:
    dead = [link for link in LINK.findall(document.read_text("utf-8")) if not (document.parent / link).exists()]
    assert not dead, f"{document.name}: {', '.join(dead)}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_blocks_are_python(document: Path) -> None:
    for kind, body in BLOCK.findall(document.read_text("utf-8")):
        if kind == "python" and ">>>" not in body:
            plain = re.sub(r"^((?:\w+ = )?)%.*$", lambda found: f"{found[1]}None", body, flags=re.MULTILINE)
            ast.parse(plain)
