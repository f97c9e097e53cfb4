"""Whether files of lines are merged by what their lines are: names, requirements, instructions, Compose's lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox import dotenv
from mlox.components.merge import formats, merge

TOGETHER = {
    "names": (
        ".env",
        "# a\nA=1\nB='x\ny'\n",
        "# a\nA=2\nB='x\ny'\nD=4\n",
        "# a\nA=1\nB='x\nz'\n# c\nexport C=3",
        "# a\nA=2\nB='x\nz'\n# c\nexport C=3\nD=4",
    ),
    "names of an example": (".env.example", "A=\n", "A=\nB=\n", "A=\nC=\n", "A=\nB=\nC=\n"),
    "requirements": (
        "requirements-dev.txt",
        "-r requirements.txt\n\nPyYAML==6\n    # via x\nrequests>=2\n",
        "-r requirements.txt\n\npyyaml==6.0.1  # why\n    # via x\nrequests>=2\nzarr\n",
        "-r requirements.txt\n\nPyYAML==6\n    # via x\nrequests[socks]>=2\n-e .\nattrs==23.1 \\\n  --hash=md5:ab\n",
        (
            "-r requirements.txt\n\npyyaml==6.0.1  # why\n    # via x\nrequests[socks]>=2\nzarr\n-e .\n"
            "attrs==23.1 \\\n  --hash=md5:ab\n"
        ),
    ),
    "a sorted list stays one": ("requirements.txt", "b\nz\n", "b\nd\nz\n", "b\nc\nz\n", "b\nc\nd\nz\n"),
    "one name for two markers": (
        "requirements.txt",
        'a==1; python_version < "3.12"\na==2; python_version >= "3.12"\n',
        'a==1.1; python_version < "3.12"\na==2; python_version >= "3.12"\n',
        'a==1; python_version < "3.12"\na==2.1; python_version >= "3.12"\n',
        'a==1.1; python_version < "3.12"\na==2.1; python_version >= "3.12"\n',
    ),
    "instructions": (
        "Dockerfile",
        '# syntax=x\nFROM a:1 AS build\nRUN x \\\n  # why\n  y\n\nFROM b\nCMD ["z"]\n',
        '# syntax=x\nFROM a:2 AS build\nENV A=1\nRUN x \\\n  # why\n  y\n\nFROM b\nCMD ["q"]\n',
        '# syntax=x\nFROM a:1 AS build\nARG B\nRUN x \\\n  # why\n  y z\n\nFROM b\nUSER u\nCMD ["z"]\n',
        ('# syntax=x\nFROM a:2 AS build\nARG B\nENV A=1\nRUN x \\\n  # why\n  y z\n\nFROM b\nUSER u\nCMD ["q"]\n'),
    ),
    "a here-document": (
        "Dockerfile",
        "FROM a\nRUN <<EOF\nx\nEOF\nUSER u\n",
        "FROM b\nRUN <<EOF\nx\nEOF\nUSER u\n",
        "FROM a\nRUN <<-EOF\nx\ny\nEOF\nUSER u\n",
        "FROM b\nRUN <<-EOF\nx\ny\nEOF\nUSER u\n",
    ),
    "lists of Compose": (
        "compose.yaml",
        'services:\n  a:\n    ports: ["80:80"]\n    volumes:\n    - ./x:/x\n    environment:\n    - A=1\n',
        'services:\n  a:\n    ports: ["81:80"]\n    volumes:\n    - ./y:/x\n    environment:\n    - A=1\n    - B=1\n',
        (
            'services:\n  a:\n    ports: ["80:80", "90:90"]\n    volumes:\n    - ./x:/x\n    - v:/v\n'
            "    environment:\n    - A=2\n"
        ),
        (
            'services:\n  a:\n    ports: ["81:80", "90:90"]\n    volumes:\n    - ./y:/x\n    - v:/v\n'
            "    environment:\n    - A=2\n    - B=1\n"
        ),
    ),
    "variables of Compose as a mapping": (
        "docker-compose.yml",
        "services:\n  a:\n    environment:\n      A: 1\n",
        "services:\n  a:\n    environment:\n      A: 2\n",
        "services:\n  a:\n    environment:\n      A: 1\n      B: 1\n",
        "services:\n  a:\n    environment:\n      A: 2\n      B: 1\n",
    ),
    "tables of an array by their names": (
        "pyproject.toml",
        '[[tool.x]]\nname = "a"\nv = 1\n',
        '[[tool.x]]\nname = "a"\nv = 2\n\n[[tool.x]]\nname = "b"\n[tool.x.y]\nq = 1\n',
        '[[tool.x]]\nname = "a"\nv = 1\nw = 1\n\n[[tool.x]]\nname = "c"\n',
        '[[tool.x]]\nname = "a"\nv = 2\nw = 1\n\n[[tool.x]]\nname = "b"\n[tool.x.y]\nq = 1\n\n[[tool.x]]\nname = "c"\n',
    ),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_what_is_put_together(case: str) -> None:
    name, base, left, right, result = TOGETHER[case]
    merged = merge(base, left, right, path=f"somewhere/{name}")
    assert merged.text == result
    assert merged.clean
    assert merged.applied


APART = {
    "one name": (".env", "A=1\n", "A=2\n", "A=3\n", "A"),
    "one requirement": ("requirements.txt", "a==1\n", "a==2\n", "A==3\n", "a"),
    "one port": (
        "compose.yaml",
        'services:\n  a:\n    ports: ["80:80"]\n',
        'services:\n  a:\n    ports: ["81:80"]\n',
        'services:\n  a:\n    ports: ["82:80/tcp"]\n',
        "services.a.ports.port.80.tcp",
    ),
    "one variable": (
        "compose.yaml",
        "services:\n  a:\n    environment: [A=1]\n",
        "services:\n  a:\n    environment: [A=2]\n",
        "services:\n  a:\n    environment: [A=3]\n",
        "services.a.environment.name.A",
    ),
    "one place of instructions": (
        "Dockerfile",
        "FROM a\n",
        "FROM a\nRUN x\n",
        "FROM a\nRUN y\n",
        "stage.#1",
    ),
}


@pytest.mark.parametrize("case", APART)
def test_what_is_left_for_a_person(case: str) -> None:
    name, base, left, right, key = APART[case]
    merger = {".env": formats.merge_env, "requirements.txt": formats.merge_requirements}.get(name)
    merger = merger or (formats.merge_dockerfile if name == "Dockerfile" else formats.merge_compose)
    for sides in ((left, right), (right, left)):
        found = merger(base, *sides)
        assert found is not None
        assert [one.key for one in found.conflicts] == [key]
        by_line = merge(base, *sides, path=name)
        assert not by_line.clean
        assert "<<<<<<< mine" in by_line.text


names = st.sampled_from(["A", "B", "C", "D", "E"])
values = st.sampled_from(["1", "two", "'a # b'", '"x\ny"', "${A}"])
files = st.dictionaries(names, values, max_size=5)


@given(files, files, files)
def test_env_files_say_what_both_sides_say(base: dict[str, str], left: dict[str, str], right: dict[str, str]) -> None:
    def written(file: dict[str, str]) -> str:
        return "".join(f"# {key}!\n{key}={value}\n" for key, value in file.items())

    def of_three(key: str) -> str | None:
        before, mine, theirs = base.get(key), left.get(key), right.get(key)
        return theirs if mine == before else mine

    merged = formats.merge_env(written(base), written(left), written(right))
    assert merged is not None
    clash = any(
        left.get(key) != right.get(key) and base.get(key) not in {left.get(key), right.get(key)}
        for key in {*base, *left, *right}
    )
    assert merged.clean is not clash
    if not clash:
        expected = {key: of_three(key) for key in {*base, *left, *right} if of_three(key) is not None}
        assert {key: entry.text for key, entry in dotenv.parse(merged.text).items()} == {
            key: entry.text
            for key, entry in dotenv.parse(written(expected)).items()  # type: ignore[arg-type]
        }
        assert all(merged.text.count(f"# {key}!") == 1 for key in expected)
