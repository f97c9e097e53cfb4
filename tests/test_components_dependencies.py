"""How a requirement gets into a project's file and out again: every form of list, no other byte touched."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.components.dependencies import with_requirement, without_requirement
from mlox.errors import MloxError, WorkspaceError
from tests.component_stage import Shop

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
    "none": '# mine\n[project]\nname = "x"\n\n[tool.x]\na = 1\n',
    "none and a sub-table": '[project]\nname = "x"\n[project.scripts]\na = "b:c"\n',
    "none and no line end": '[project]\nname = "x"',
    "tabs and marks": "[project]\ndependencies = [\n\t'a; python_version < \"3.12\"',\n]\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_one_requirement_more_and_less(form: str) -> None:
    text = FORMS[form]
    after, record = with_requirement(text, FEAST)
    known = tomllib.loads(text)["project"].get("dependencies", [])
    wanted = tomllib.loads(text)
    wanted["project"]["dependencies"] = [FEAST, *known]
    assert tomllib.loads(after) == wanted
    assert after.replace(record.inserted, "", 1) == text
    assert ("\r\n" in after) == ("\r\n" in text)
    assert "\r" not in after.replace("\r\n", "")
    assert without_requirement(after, record) == text


names = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True).filter(lambda name: name != "feast")
spaces = st.sampled_from(["", " ", "\n", "\n    ", "\n\t", "  # c ] \" '\n", "\n# [x]\n  "])


@given(st.lists(st.tuples(names, spaces, spaces)), spaces, st.booleans(), st.sampled_from(["'", '"']))
def test_any_list_takes_it_and_gives_it_back(
    items: list[tuple[str, str, str]], first: str, comma: bool, quote: str
) -> None:
    body = ",".join(f"{before}{quote}{name}{quote}{after}" for name, before, after in items)
    text = f'[project]\nname = "x"\ndependencies = [{first}{body}{"," if items and comma else ""}]\n# end\n'
    after, record = with_requirement(text, FEAST)
    assert tomllib.loads(after)["project"]["dependencies"] == [FEAST, *(name for name, _, _ in items)]
    assert without_requirement(after, record) == text


def test_after_a_formatter_only_the_requirement_goes() -> None:
    _, record = with_requirement(FORMS["lines"], FEAST)
    sorted_since = f'[project]\nname = "x"\ndependencies = ["a>=1", "b", "{FEAST}", "c"]\n# mine\n'
    shorter = without_requirement(sorted_since, record)
    assert tomllib.loads(shorter)["project"]["dependencies"] == ["a>=1", "b", "c"]
    assert shorter.endswith("# mine\n")


def test_a_requirement_that_the_user_changed_stays() -> None:
    after, record = with_requirement(FORMS["lines"], FEAST)
    pinned = after.replace(FEAST, "feast==0.68")
    assert without_requirement(pinned, record) == pinned


@pytest.mark.parametrize(
    ("where", "text", "problem"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", "has no plain table [project]"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\n', "Poetry's form"),
        ("pyproject.toml", '[project]\nname = "x"\ndynamic = ["dependencies"]\n', "dynamic"),
        ("pyproject.toml", 'project = {name = "x", version = "1"}\n', "has no plain table [project]"),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.a]\n[project.urls]\na = "b"\n', "no plain table"),
        ("pyproject.toml", "[project\n", "not valid TOML"),
        ("pyproject.toml", "[project]\ndependencies = 3\n", "no list"),
        ("requirements.txt", "numpy\n-r more.txt\n", "requirements.txt"),
        ("setup.py", "import setuptools\n", "setup.py"),
        ("environment.yml", "dependencies: [numpy]\n", "environment.yml"),
    ],
)
def test_a_project_of_another_form_is_refused_with_the_line_to_write(
    shop: Shop, where: str, text: str, problem: str
) -> None:
    shop.put(where, text)
    before = shop.tree()
    with pytest.raises(MloxError) as caught:
        shop.add()
    assert problem in caught.value.problem
    assert shop.tree() == before
    if isinstance(caught.value, WorkspaceError):
        assert "tabulate>=0.9" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["Tabulate~=0.9.0"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nTabulate = "^0.9"\n'),
        ("requirements.txt", "-r more.txt\ntabulate[widechars] >= 0.9  # pinned\n"),
    ],
)
def test_what_the_project_depends_on_already_stays_as_it_is(shop: Shop, where: str, text: str) -> None:
    shop.put(where, text)
    assert shop.add().dependencies == []
    assert shop.read(where) == text
