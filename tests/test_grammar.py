"""The words of a shell or a cell become a call, or one error that names the right word."""

from __future__ import annotations

import inspect
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox import __version__
from mlox.errors import UnknownNameError, UsageError
from mlox.verbs import FAMILIAR, Parameter, Verb, all_verbs, find_verb
from mlox.verbs.grammar import Options, overview, parse, usage
from mlox.verbs.table import GROUPS

VERBS = all_verbs()
PROMISED = {
    *("init", "catalog", "info", "plan", "up", "down", "status", "logs", "restart", "open", "use", "run", "env"),
    *("doctor", "clean", "help", "add", "remove", "secrets set", "secrets get", "secrets list", "secrets remove"),
}


def values_of(parameter: Parameter) -> list[tuple[list[str], Any]]:
    """Ways to write one parameter, and what it becomes."""
    one = ("7", 7) if parameter.number else ("word", "word")
    if parameter.shape == "rest":
        return [(["--", "cmd", "--json", "-y"], ("cmd", "--json", "-y"))]
    if parameter.shape == "flag":
        return [([parameter.flag], True)]
    if parameter.shape == "many":
        words = ["a", "b-c@1.2"]
        return [([w for word in words for w in ([parameter.flag] if parameter.flag else []) + [word]], tuple(words))]
    if parameter.flag:
        return [([parameter.flag, one[0]], one[1]), ([f"{parameter.flag}={one[0]}"], one[1])]
    return [([one[0]], one[1])]


def required(verb: Verb, *, without: Parameter | None = None) -> list[str]:
    return ["word" for p in verb.parameters if p.shape == "one" and p is not without]


def called(*words: str) -> tuple[str, dict[str, Any], Options]:
    call = parse(words)
    assert call.verb is not None, call.help
    assert call.help == ""
    return call.verb.name, dict(call.arguments or {}), call.options


# The table of verbs


def test_the_verbs_that_are_promised_are_there() -> None:
    assert set(VERBS) >= PROMISED


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_verb_says_what_it_does_and_every_parameter_what_it_is_for(verb: Verb) -> None:
    assert verb.summary.endswith(".")
    assert verb.group in GROUPS
    for parameter in verb.parameters:
        assert parameter.help, parameter.name
        assert parameter.help.strip().rstrip(".") == parameter.help


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_signature_of_a_verb_is_its_grammar(verb: Verb) -> None:
    context, *rest = inspect.signature(verb.function).parameters.values()
    assert context.name.lstrip("_") == "ctx"
    assert [p.name for p in rest] == [p.name for p in verb.parameters]
    for written, parameter in zip(rest, verb.parameters, strict=True):
        assert bool(parameter.flag) == (written.kind is inspect.Parameter.KEYWORD_ONLY)
        assert (parameter.shape == "one") == (written.default is inspect.Parameter.empty)
        assert not parameter.flag or parameter.flag.replace("-", "_").strip("_") == parameter.name.strip("_")
        assert (parameter.shape == "flag") == isinstance(written.default, bool)
        assert parameter.shape not in ("many", "rest") or written.default == ()


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_no_parameter_is_called_like_a_global_option(verb: Verb) -> None:
    """Both would be kept under one name: ``folder`` would take the place of what ``-C`` says."""
    assert not {parameter.name for parameter in verb.parameters} & {field.name for field in fields(Options)}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_fewest_words_call_the_verb_with_what_its_signature_takes(verb: Verb) -> None:
    name, arguments, options = called(*verb.name.split(), *required(verb))
    assert name == verb.name
    inspect.signature(verb.function).bind(None, **arguments)
    assert options == Options()


FORMS = [
    pytest.param(verb, parameter, words, value, id=f"{verb.name} {' '.join(words)}")
    for verb in VERBS.values()
    for parameter in verb.parameters
    for words, value in values_of(parameter)
]


@pytest.mark.parametrize(("verb", "parameter", "words", "value"), FORMS)
def test_every_documented_form_of_every_parameter(
    verb: Verb, parameter: Parameter, words: list[str], value: Any
) -> None:
    name, arguments, options = called(*verb.name.split(), *required(verb, without=parameter), *words)
    assert name == verb.name
    assert arguments[parameter.name] == value
    inspect.signature(verb.function).bind(None, **arguments)
    assert not options.json


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_help_of_a_verb_tells_all_of_it(verb: Verb) -> None:
    text = " ".join(usage(verb).split())
    assert f"usage: mlox {verb.name}" in text
    assert verb.summary in text
    for parameter in verb.parameters:
        assert (parameter.flag or parameter.name.upper().rstrip("_")) in text
        assert parameter.help in text
    for words in ([*verb.name.split(), "--help"], ["-h", *verb.name.split()], [*verb.name.split(), "x", "-h"]):
        assert parse(words).help == usage(verb)


def test_the_overview_names_every_verb_in_its_group() -> None:
    text = overview()
    assert all(f"  {name} " in text for name in VERBS)
    assert all(f"{title}:" in text for title in GROUPS.values())
    assert parse([]).help == text


# Global options

GLOBALS: list[tuple[list[str], dict[str, Any]]] = [
    (["--json"], {"json": True}),
    (["-y"], {"yes": True}),
    (["--yes"], {"yes": True}),
    (["--dry-run"], {"dry_run": True}),
    (["-C", "some/folder"], {"folder": Path("some/folder")}),
    (["-Csome/folder"], {"folder": Path("some/folder")}),
    (["--profile", "prod"], {"profile": "prod"}),
    (["--profile=prod"], {"profile": "prod"}),
    (["-q"], {"quiet": True}),
    (["--quiet"], {"quiet": True}),
    (["-v"], {"verbose": True}),
    (["--verbose"], {"verbose": True}),
    (["--json", "-y", "-C", "x"], {"json": True, "yes": True, "folder": Path("x")}),
    (["-qy"], {"quiet": True, "yes": True}),
]


@pytest.mark.parametrize(("words", "expected"), GLOBALS, ids=[" ".join(words) for words, _ in GLOBALS])
def test_global_options_stand_before_the_verb_after_it_and_between_its_words(
    words: list[str], expected: dict[str, Any]
) -> None:
    wanted = Options(**expected)
    for line in (
        [*words, "up", "a", "b"],
        ["up", "a", "b", *words],
        ["up", *words, "a", "b"],
        ["up", "a", *words, "b"],
    ):
        assert called(*line) == ("up", called("up", "a", "b")[1], wanted), line


def test_global_options_on_both_sides_add_up() -> None:
    assert called("--json", "up", "-y")[2] == Options(json=True, yes=True)
    assert called("-C", "one", "up", "-C", "two")[2].folder == Path("two")


def test_the_version() -> None:
    for words in (["--version"], ["--version", "up"], ["up", "--version"]):
        assert parse(words).help == f"mlox {__version__}", words
    name, arguments, _ = called("secrets", "get", "TOKEN", "--version", "9f2c")
    assert (name, arguments["version"]) == ("secrets get", "9f2c")


# A command with its own options


def test_what_stands_behind_two_dashes_belongs_to_the_command() -> None:
    name, arguments, options = called("run", "a", "b", "--", "cmd", "--json", "-y", "--", "--help", "-C", "x")
    assert name == "run"
    assert arguments == {"names": ("a", "b"), "command": ("cmd", "--json", "-y", "--", "--help", "-C", "x")}
    assert options == Options()


def test_options_in_front_of_the_dashes_are_ours() -> None:
    assert called("run", "a", "--json", "--", "cmd", "-q")[2] == Options(json=True)
    assert called("run", "--", "cmd")[1] == {"names": (), "command": ("cmd",)}
    assert called("run")[1] == {"names": (), "command": ()}


@given(st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_any_command_arrives_as_it_is(command: list[str]) -> None:
    assert called("run", "x", "--", *command)[1]["command"] == tuple(command)


# Wrong words


@pytest.mark.parametrize("word", [word for word in FAMILIAR if " " not in word])
def test_a_word_of_another_tool_gets_ours(word: str) -> None:
    for words in ([word], [word, "mlflow"], ["--json", word, "-x"]):
        with pytest.raises(UnknownNameError, match=f"unknown verb '{word}'") as caught:
            parse(words)
        assert caught.value.hint == f"It is called: mlox {FAMILIAR[word]}."
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(("word", "right"), FAMILIAR.items())
def test_what_a_word_of_another_tool_gets_is_a_verb(word: str, right: str) -> None:
    assert word not in VERBS
    assert right == "secrets" or right in VERBS or find_verb(right.split())[0].name in VERBS


def test_the_words_that_are_promised_get_theirs() -> None:
    promised = {"ps": "status", "ls": "status", "stop": "down", "rm": "remove", "delete": "remove", "start": "up"}
    promised |= {"deploy": "up", "install": "add"}
    assert promised.items() <= FAMILIAR.items()


@pytest.mark.parametrize(
    ("word", "right"), [("stauts", "status"), ("upp", "up"), ("ad", "add"), ("INIT", "init"), ("retsart", "restart")]
)
def test_a_misspelt_verb_gets_the_nearest(word: str, right: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse([word])
    assert caught.value.problem == f"unknown verb {word!r}"
    assert caught.value.hint == f"Did you mean {right!r}?"


def test_a_verb_that_nothing_is_near_gets_them_all() -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse(["xyzzy"])
    assert (caught.value.hint or "").startswith("Choose one of: add, adopt, backup, ")


@pytest.mark.parametrize("words", [["secrets"], ["secrets", "--json"], ["--json", "secrets"]])
def test_a_noun_without_a_verb_says_which_there_are(words: list[str]) -> None:
    with pytest.raises(UsageError, match="'secrets' needs to know what to do") as caught:
        parse(words)
    assert "secrets get, secrets join, secrets key load, secrets key save" in (caught.value.hint or "")


def test_a_noun_with_a_wrong_verb_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown verb 'secrets sett'") as caught:
        parse(["secrets", "sett", "X"])
    assert caught.value.hint == "Did you mean 'secrets set'?"


WRONG: list[tuple[str, str, str]] = [
    ("up --prnue", "up: unknown option '--prnue'", "Did you mean '--prune'?"),
    ("up --prune=yes", "up: argument --prune: ignored explicit argument 'yes'", "See: mlox help up."),
    ("--jsn up", "unknown option '--jsn'", "Did you mean '--json'?"),
    ("up --jsn", "up: unknown option '--jsn'", "Did you mean '--json'?"),
    ("up --pru", "up: unknown option '--pru'", "Did you mean '--prune'?"),
    ("status --zzz", "status: unknown option '--zzz'", "See: mlox help status."),
    ("logs a --lines", "logs: argument --lines: expected one argument", "See: mlox help logs."),
    ("logs a --lines many", "logs: argument --lines: invalid int value: 'many'", "See: mlox help logs."),
    ("up -C", "up: argument -C: expected one argument", "See: mlox help up."),
    ("-C", "argument -C: expected one argument", "See: mlox help."),
    ("add", "add: missing: NAME", "See: mlox help add."),
    ("secrets set", "secrets set: missing: NAME", "See: mlox help secrets set."),
    ("doctor ''", "doctor: too many arguments: ''", "See: mlox help doctor."),
    ("add a b c", "add: too many arguments: b c", "See: mlox help add."),
]


@pytest.mark.parametrize(("line", "problem", "hint"), WRONG, ids=[line for line, _, _ in WRONG])
def test_wrong_words_are_told(line: str, problem: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(shlex.split(line))
    assert caught.value.problem == problem
    assert caught.value.hint == hint


WORDS = ["-C", "--json", "--", "-h", "--set", "a=b", "x", "-", "", "--lines", "é", *" ".join(VERBS).split()]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=6))
def test_any_words_are_a_call_or_one_error_and_never_the_end(words: list[str]) -> None:
    try:
        call = parse(words)
    except UsageError as error:
        assert error.hint
        return
    assert bool(call.help) != (call.verb is not None and call.arguments is not None)


def test_a_wrong_word_ends_with_2_and_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-m", "mlox", "stauts"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ["error: unknown verb 'stauts'", "hint: Did you mean 'status'?"]
