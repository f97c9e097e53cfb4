"""Help that is asked for on the line: of a noun, of a verb, and where ``--help`` belongs to somebody else."""

from __future__ import annotations

import pytest

from mlox.verbs.grammar import parse


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("secrets --help", "secrets set"),
        ("--help secrets", "secrets key load"),
        ("secrets key -h", "secrets key save"),
        ("registry -h --json", "registry add"),
    ],
)
def test_help_of_a_noun_lists_its_verbs(words: str, told: str) -> None:
    call = parse(words.split())
    noun = words.replace("--help", "").split(" -")[0].strip()
    assert call.help.startswith(f"usage: mlox {noun} VERB ...")
    rows = [line for line in call.help.splitlines() if line.startswith("  ")]
    assert all(row.startswith(f"  {noun} ") for row in rows)
    assert any(row.startswith(f"  {told} ") for row in rows)


def test_help_behind_two_hyphens_is_the_commands() -> None:
    call = parse(["exec", "redis", "--", "redis-cli", "--help"])
    assert call.help == ""
    assert call.arguments is not None
    assert call.arguments["command"] == ("redis-cli", "--help")
