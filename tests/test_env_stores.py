"""Secrets from variables and from the ``.env`` file: Compose's rules, and no more than was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.dotenv import parse
from mlox.errors import SecretError, SecretNotFoundError
from mlox.secret_stores.env import EnvironmentStore
from mlox.secret_stores.env_file import EnvFileStore

LINES = {
    "TOKEN=hunter22": "hunter22",
    "  export TOKEN = hunter22  ": "hunter22",
    "TOKEN: hunter22": "hunter22",
    "TOKEN=hunter22 # a comment": "hunter22",
    "TOKEN=hunter22# no comment": "hunter22# no comment",
    "TOKEN=#hunter22": "#hunter22",
    "TOKEN=a=b:c": "a=b:c",
    'TOKEN="hunter 22" # a comment': "hunter 22",
    "TOKEN='hunter # 22'": "hunter # 22",
    "TOKEN='$HOME ${X} \\n'": "$HOME ${X} \\n",
    'TOKEN="line\\nline\\ttab \\"q\\" \\\\ \\x"': 'line\nline\ttab "q" \\ \\x',
    'TOKEN="two\nlines"\nOTHER=x': "two\nlines",
    "TOKEN='two\nlines'\nOTHER=x": "two\nlines",
    "TOKEN=${HOST}/x": "example.org/x",
    'TOKEN="$HOST/x"': "example.org/x",
    "TOKEN=${NONE:-other}": "other",
    "TOKEN=${NONE-}x": "x",
    "TOKEN=pa$$word": "pa$word",
    'TOKEN="pa\\$word"': "pa$word",
    "PART=left\nTOKEN=${PART}-right": "left-right",
    "HOST=mine\nTOKEN=$HOST": "example.org",
    "TOKEN=first\nTOKEN=last": "last",
    "\ufeffTOKEN=hunter22\r\n": "hunter22",
    "# TOKEN=no\n\nOTHER\nTOKEN=hunter22": "hunter22",
}


def store(folder: Path, text: str) -> EnvFileStore:
    (folder / ".env").write_text(text, encoding="utf-8", newline="")
    return EnvFileStore(folder / ".env", {"HOST": "example.org"})


@pytest.mark.parametrize("text", LINES)
def test_a_file_is_read_by_composes_rules(tmp_path: Path, text: str) -> None:
    assert store(tmp_path, text).get("TOKEN").reveal() == LINES[text]


@pytest.mark.parametrize("text", ["", "TOKEN=", "TOKEN=''", "TOKEN", "export TOKEN", "#TOKEN=x"])
def test_an_empty_value_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(SecretNotFoundError, match="no secret 'TOKEN'"):
        store(tmp_path, text).get("TOKEN")
    assert store(tmp_path, text).names() == ()


BROKEN = {
    "OTHER=x\nhunter22!": ":2: not NAME=value",
    "TOKEN='hunter22": ":1: a quotation mark is not closed",
    'TOKEN="hunter22\n\n': ":1: a quotation mark is not closed",
    "TOKEN='hunter22'tail": ":1: something stands behind the closing quotation mark",
    "\n1TOKEN=hunter22": ":2: not NAME=value",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_line_is_named_and_shows_no_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(SecretError, match=BROKEN[text]) as error:
        store(tmp_path, text).names()
    assert "hunter22" not in f"{error.value} {error.value.hint}"
    assert error.value.hint


@pytest.mark.parametrize(
    "value", ["hunter22$MISSING", "hunter22${MISSING}", "hunter22$", "${HUNTER", "hunter22${TOKEN}"]
)
def test_a_dollar_sign_that_stands_for_nothing_is_told_and_others_stay_readable(tmp_path: Path, value: str) -> None:
    made = store(tmp_path, f"OTHER=fine\nTOKEN={value}\n")
    with pytest.raises(SecretError, match=r"\.env:2: TOKEN: a variable in its value is missing") as error:
        made.get("TOKEN")
    assert "single quotes" in str(error.value.hint)
    assert "hunter22" not in f"{error.value} {error.value.__context__}"
    assert made.get("OTHER").reveal() == "fine"


def test_a_circle_of_variables_ends(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="is missing"):
        store(tmp_path, "A=$B\nB=$A").get("A")


@pytest.mark.parametrize("content", [b"\xff\xfeT\x00", None])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / ".env"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(SecretError, match="cannot read|not UTF-8") as error:
        EnvFileStore(path).get("TOKEN")
    assert str(path) in str(error.value)


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), st.text('ab #=$\\"\n\té')))
def test_what_stands_in_single_quotes_comes_back_as_it_was(values: dict[str, str]) -> None:
    text = "".join(f"{name}='{value}' # said\n" for name, value in values.items())
    assert {name: entry.text for name, entry in parse(text).items()} == values


@given(st.text())
def test_any_text_is_read_or_refused_by_line(text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        assert int(str(error).partition(":")[0]) <= text.count("\n") + 1


def test_only_variables_of_ours_are_secrets() -> None:
    made = EnvironmentStore(
        {"MLOX_SECRET_TOKEN": "hunter22", "MLOX_SECRET_EMPTY": "", "MLOX_SECRET_": "x", "TOKEN": "y", "PATH": "/bin"}
    )
    assert made.names() == ("TOKEN",)
    assert made.get("TOKEN").reveal() == "hunter22"
    for name in ("PATH", "EMPTY", ""):
        with pytest.raises(SecretNotFoundError):
            made.get(name)


def test_the_environment_is_read_at_each_question(monkeypatch: pytest.MonkeyPatch) -> None:
    made = EnvironmentStore()
    assert made.names() == ()
    monkeypatch.setenv("MLOX_SECRET_TOKEN", "hunter22")
    assert made.get("TOKEN").reveal() == "hunter22"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("DB_USER=mlflow", False),
        ("LOG_LEVEL=info", False),
        ("DEBUG=true", False),
        ("PORT=5432", False),
        ("BIND=127.0.0.1:8080", False),
        ("DATA=/var/lib/postgres", False),
        ("CACHE=redis://cache:6379/0", False),
        ("HOST=db.example.org", False),
        ("URL=https://example.org/api", False),
        ("DB_PASSWORD=mlflow", True),
        ("API_KEY=abc", True),
        ("FILED=kept-in-a-file", True),
        ("URL=https://ada:tea@example.org/", True),
        ("HOOK=https://example.org/services/T02/x8gTqP1", True),
        ("CODE=hunter22", True),
        ("PHRASE=correct horse battery staple", True),
        ("LINK=https://${HOST}/", True),
    ],
)
def test_what_of_the_file_may_be_secret(tmp_path: Path, line: str, secret: bool) -> None:
    found = store(tmp_path, line)
    assert [row.name for row in found.describe() if not row.plain] == [line.partition("=")[0]] * secret
    assert found.names() == (line.partition("=")[0],)
