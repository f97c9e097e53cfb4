"""How requirements get into a project's file and out again: every form of list, any order, no other byte touched."""

from __future__ import annotations

import tomllib
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.components.records import DependencyRecord
from mlox.errors import DependencyError, MloxError, WorkspaceError
from tests.component_stage import Shop
from tests.requirement_stage import CASES, FEAST, FORMS, LINES, POETRY, paper


def values(text: str) -> list[str]:
    found: list[str] = tomllib.loads(text.removeprefix("\ufeff"))["project"].get("dependencies", [])
    return found


@pytest.mark.parametrize("form", FORMS)
def test_one_requirement_more_and_less(form: str) -> None:
    text = FORMS[form]
    tree = paper("pyproject.toml", text)
    records = tree.add([FEAST])
    after = tree.text()
    wanted = tomllib.loads(text.removeprefix("\ufeff"))
    wanted["project"]["dependencies"] = [FEAST, *values(text)]
    assert tomllib.loads(after.removeprefix("\ufeff")) == wanted
    assert "\r" not in after.replace("\r\n", "")
    assert ("\r\n" in after) == ("\r\n" in text)
    assert tree.remove(records) == [FEAST]
    assert tree.text() == text


@pytest.mark.parametrize(("path", "text"), CASES)
def test_any_order_of_three_components_gives_the_same_bytes_there_and_back(path: str, text: str) -> None:
    asked = {"one": ["zarr>=2", FEAST], "two": ["redis>=5", "zarr>=2"], "three": ["Redis<7", "pyarrow"]}
    seen = set()
    for order in permutations(asked):
        tree = paper(path, text)
        records: dict[str, list[DependencyRecord]] = {}
        for name in order:
            records[name] = tree.add(asked[name], [one for many in records.values() for one in many])
        assert [one.requirement for name in asked for one in records[name]] == [
            one for many in asked.values() for one in many
        ]
        seen.add((tree.text(), tuple(tuple(records[name]) for name in asked)))
        for name in order:
            tree.remove(records.pop(name), [one for many in records.values() for one in many])
            assert records or tree.text() == text
    assert len(seen) == 1


@pytest.mark.parametrize(("path", "text"), CASES)
def test_the_one_in_the_middle_goes_and_leaves_the_others_as_if_it_had_never_been(path: str, text: str) -> None:
    tree, without = paper(path, text), paper(path, text)
    first = tree.add(["alembic", "zarr"])
    middle = tree.add(["orjson>=3", "zarr"], first)
    last = tree.add(["orjson<4", "boto3"], [*first, *middle])
    tree.remove(middle, [*first, *last])
    alone = without.add(["alembic", "zarr"])
    without.add(["orjson<4", "boto3"], alone)
    assert tree.text() == without.text()


names = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True).filter(lambda name: name not in {"feast", "zz"})
spaces = st.sampled_from(["", " ", "\n", "\n    ", "\n\t", "  # c ] \" '\n", "\n# [x]\n  "])


@given(st.lists(st.tuples(names, spaces, spaces)), spaces, st.booleans(), st.sampled_from(["'", '"']))
def test_any_list_takes_them_and_gives_them_back(
    items: list[tuple[str, str, str]], first: str, comma: bool, quote: str
) -> None:
    body = ",".join(f"{before}{quote}{name}{quote}{after}" for name, before, after in items)
    text = f'[project]\nname = "x"\ndependencies = [{first}{body}{"," if items and comma else ""}]\n# end\n'
    tree = paper("pyproject.toml", text)
    one = tree.add(["zz"])
    two = tree.add([FEAST], one)
    assert values(tree.text()) == [FEAST, "zz", *(name for name, _, _ in items)]
    tree.remove(one, two)
    assert values(tree.text()) == [FEAST, *(name for name, _, _ in items)]
    tree.remove(two)
    assert tree.text() == text


def test_after_a_formatter_only_the_requirement_goes() -> None:
    tree = paper("pyproject.toml", FORMS["lines"])
    records = tree.add([FEAST])
    tree.files["pyproject.toml"] = (
        f'[project]\nname = "x"\ndependencies = ["a>=1", "b", "{FEAST}", "c"]\n# mine\n'.encode()
    )
    tree.remove(records)
    assert values(tree.text()) == ["a>=1", "b", "c"]
    assert tree.text().endswith("# mine\n")


@pytest.mark.parametrize(
    ("path", "text", "ours", "theirs"),
    [
        ("pyproject.toml", FORMS["lines"], '"feast[redis]>=0.67"', '"feast==0.68"'),
        ("pyproject.toml", POETRY["usual"], "'>=0.67'", '"^0.68"'),
        ("requirements.txt", LINES["usual"], FEAST, "feast==0.68"),
    ],
)
def test_a_requirement_that_the_user_changed_stays(path: str, text: str, ours: str, theirs: str) -> None:
    tree = paper(path, text)
    records = tree.add([FEAST])
    tree.files[path] = tree.text().replace(ours.replace("'", '"'), theirs).encode()
    pinned = tree.text()
    assert theirs in pinned
    tree.remove(records)
    assert tree.text() == pinned


def test_what_the_users_code_imports_stays_and_is_the_users() -> None:
    tree = paper("pyproject.toml", FORMS["lines"])
    one, two = tree.add([FEAST, "zarr"]), tree.add(["boto3"])
    assert tree.remove(one, two, used=["zarr"]) == [FEAST]
    assert values(tree.text()) == ["boto3", "zarr", "a>=1", "b"]
    tree.remove(two)
    assert values(tree.text()) == ["zarr", "a>=1", "b"]


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("pyproject.toml", '[project]\nname = "x"\ndependencies = ["Feast[redis]<0.5"]\n', FEAST),
        ("pyproject.toml", '[tool.poetry.dependencies]\nfeast = {version = "^0.60", extras = ["redis"]}\n', FEAST),
        ("requirements.txt", "feast[redis]==0.66  # pinned\n", FEAST),
        ("requirements.txt", "-r more.txt\n", "more>=2"),
    ],
)
def test_versions_that_exclude_each_other_are_told_before_anything_is_written(
    path: str, text: str, wanted: str
) -> None:
    tree = paper(path, text)
    tree.files["more.txt"] = b"More==1.0\n"
    with pytest.raises(DependencyError) as caught:
        tree.add([wanted])
    assert wanted in caught.value.problem
    assert "no version is both" in caught.value.problem


def test_components_that_exclude_each_other_are_told_too() -> None:
    tree = paper("pyproject.toml", FORMS["lines"])
    one = tree.add(["redis>=6"])
    with pytest.raises(DependencyError, match="another component asks for redis>=6, this one for redis<6"):
        tree.add(["redis<6"], one)


@pytest.mark.parametrize(
    ("text", "wanted", "result"),
    [
        ('dependencies = ["feast>=0.67"]', FEAST, [FEAST, "feast>=0.67"]),  # its extra is not there
        ('dependencies = ["feast[redis,aws]"]', FEAST, ["feast[redis,aws]"]),
        ("dependencies = ['a; python_version < \"3.12\"']", "a", ["a", 'a; python_version < "3.12"']),
        ('dependencies = ["ruamel_yaml"]', "ruamel.yaml>=0.18", ["ruamel_yaml"]),
        ('dependencies = ["a @ https://example.org/a.whl"]', "a>=2", ["a @ https://example.org/a.whl"]),
    ],
)
def test_what_is_there_is_known_by_name_extras_and_marker(text: str, wanted: str, result: list[str]) -> None:
    tree = paper("pyproject.toml", f"[project]\n{text}\n")
    tree.add([wanted])
    assert values(tree.text()) == result


@pytest.mark.parametrize(
    ("where", "text", "problem"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", "has no plain table [project]"),
        ("pyproject.toml", "[tool.poetry]\nname = 'x'\ndependencies = {python = '^3.11'}\n", "no plain table"),
        ("pyproject.toml", '[project]\nname = "x"\ndynamic = ["dependencies"]\n', "dynamic"),
        ("pyproject.toml", 'project = {name = "x", version = "1"}\n', "has no plain table [project]"),
        ("pyproject.toml", "[dependency-groups]\na = []\nb = []\n", "several groups"),
        ("pyproject.toml", '[tool.poetry.dependencies]\ntabulate = {git = "https://example.org", extras=["x"]}\n', ""),
        ("pyproject.toml", "[project\n", "not valid TOML"),
        ("pyproject.toml", "[project]\ndependencies = 3\n", "no list"),
        ("requirements.txt", "# This file is autogenerated by pip-compile\nnumpy==2.0\n", "is compiled"),
        ("setup.py", "import setuptools\n", "setup.py"),
        ("setup.cfg", "[options]\ninstall_requires =\n  numpy\n", "setup.cfg"),
        ("Pipfile", "[packages]\n", "Pipfile"),
        ("environment.yml", "dependencies: [numpy]\n", "environment.yml"),
    ],
)
def test_a_project_of_another_form_is_refused_with_the_line_to_write(
    shop: Shop, where: str, text: str, problem: str
) -> None:
    shop.put(where, text)
    before = shop.tree()
    if not problem:
        assert shop.add().dependencies == []
        return
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
        ("environment.yml", "dependencies:\n  - python\n  - pip:\n    - tabulate>=0.9\n"),
    ],
)
def test_what_the_project_depends_on_already_stays_as_it_is(shop: Shop, where: str, text: str) -> None:
    shop.put(where, text)
    assert shop.add().dependencies == []
    assert shop.read(where) == text
