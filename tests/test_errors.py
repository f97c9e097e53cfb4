"""Errors that users catch by type: a drawing that is true, a problem, a hint, an exit code."""

from __future__ import annotations

import ast
import inspect
import json
import pickle
import re
from pathlib import Path

import pytest

from mlox import errors
from mlox.errors import (
    DISTRIBUTION,
    Cancelled,
    ClientError,
    IdentityError,
    LockedError,
    MloxError,
    NotHealthyError,
    PartialError,
    SecretNotFoundError,
    ServiceError,
    SpecError,
    UnknownNameError,
    UsageError,
    WorkspaceError,
    nearest,
)

ROOT = Path(errors.__file__).parent
ALL = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, MloxError)]


def drawn() -> dict[str, tuple[str, str, int | None]]:
    """For each name in the drawing: the one it hangs below, its built-in parent, its exit code."""
    found: dict[str, tuple[str, str, int | None]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([ │├└─]*)([A-Z]\w+)(?: \((\w+)\))?(.*)$", line[4:]) if line.startswith("    ") else None
        if not match:
            continue
        depth, name, builtin = len(match[1]), match[2], match[3] or ""
        code = re.search(r"exit code (\d+)", match[4])
        above = [(d, n) for d, n in above if d < depth]
        found[name] = (above[-1][1] if above else "", builtin, int(code[1]) if code else None)
        above.append((depth, name))
    return found


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_drawing_is_true(kind: type[MloxError]) -> None:
    parent, builtin, code = drawn()[kind.__name__]
    if kind is MloxError:
        assert (parent, kind.exit_code) == ("", 1)
        return
    assert kind.__bases__[0].__name__ == parent
    assert [base.__name__ for base in kind.__bases__[1:]] == ([builtin] if builtin else [])
    assert kind.exit_code == (code if code is not None else 1)
    assert kind.__doc__


def test_nothing_is_drawn_that_there_is_not() -> None:
    assert set(drawn()) == {kind.__name__ for kind in ALL}


BUILT_IN: list[tuple[type[MloxError], type[Exception]]] = [
    (SpecError, ValueError),
    (UsageError, ValueError),
    (UnknownNameError, LookupError),
    (WorkspaceError, OSError),
    (LockedError, TimeoutError),
    (NotHealthyError, TimeoutError),
    (NotHealthyError, ServiceError),
    (SecretNotFoundError, LookupError),
    (ClientError, ImportError),
]


@pytest.mark.parametrize(("kind", "parent"), BUILT_IN)
def test_an_error_is_caught_by_who_knows_only_python(kind: type[MloxError], parent: type[Exception]) -> None:
    with pytest.raises(parent, match="what happened"):
        raise kind("what happened", hint="Do this.")


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_a_problem_and_a_hint(kind: type[MloxError]) -> None:
    error = kind("mlox.yaml:3: what is wrong", hint="Mend it.")
    assert (str(error), error.problem, error.hint) == ("mlox.yaml:3: what is wrong",) * 2 + ("Mend it.",)
    assert error.to_json() == {"type": kind.__name__, "problem": error.problem, "hint": "Mend it."}
    assert json.dumps(error.to_json())
    assert error._render_traceback_() == ["error: mlox.yaml:3: what is wrong", "hint: Mend it."]
    assert kind("x")._render_traceback_() == ["error: x"]
    assert kind("x").to_json()["hint"] is None


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_an_error_crosses_to_another_process(kind: type[MloxError]) -> None:
    error = kind("what happened", hint="Do this.")
    there = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(there) is kind
    assert (there.problem, there.hint, str(there)) == ("what happened", "Do this.", "what happened")


def test_a_partial_error_keeps_the_reasons() -> None:
    reason = ServiceError("died")
    error = PartialError("reached: a; failed: b", failures=[("b", reason)])
    assert error.failures == (("b", reason),)
    assert error.exit_code == 3


def test_exit_codes_that_scripts_rely_on() -> None:
    assert [kind.exit_code for kind in (UsageError, SpecError, ServiceError, PartialError, Cancelled)] == [
        2,
        2,
        1,
        3,
        130,
    ]
    assert IdentityError.exit_code == 1


NEAR = [
    ("mlfow", ["mlflow", "redis"], "Did you mean 'mlflow'?"),
    ("MLFLOW", ["mlflow", "redis"], "Did you mean 'mlflow'?"),
    ("ml", ["mlflow"], None),
    ("", ["mlflow"], None),
    ("zzz", ["mlflow", "redis"], None),
    ("mlflow", [], None),
]


@pytest.mark.parametrize(("name", "known", "hint"), NEAR)
def test_the_nearest_name(name: str, known: list[str], hint: str | None) -> None:
    assert nearest(name, known) == hint


def test_an_unknown_name_gets_the_nearest_or_all() -> None:
    error = UnknownNameError.among("service", "zzz", ["redis", "mlflow"], where="demo: ")
    assert error.problem == "demo: unknown service 'zzz'"
    assert error.hint == "Choose one of: mlflow, redis."
    assert UnknownNameError.among("service", "zzz", []).hint == "Leave it out: there is no service here yet."


def raised() -> list[tuple[str, ast.Call]]:
    """Every place of the package where one of our errors is made."""
    names = {kind.__name__ for kind in ALL}
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def texts(node: ast.expr) -> list[str]:
    """The constant texts in an expression: of an f-string its parts with {} for what is put in."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def test_every_error_that_mlox_raises_has_a_hint() -> None:
    """But for a command that failed: there the last lines of its own say what to do."""
    places = [(place, call) for place, call in raised() if getattr(call.func, "id", "") != "CommandError"]
    assert len(places) > 50
    assert [p for p, call in places if not any(keyword.arg in ("hint", None) for keyword in call.keywords)] == []


def test_problems_begin_low_and_hints_are_sentences() -> None:
    wrong = []
    for place, call in raised():
        problems = texts(call.args[0]) if call.args else []
        hints = [text for keyword in call.keywords if keyword.arg == "hint" for text in texts(keyword.value)]
        wrong += [f"{place}: {text}" for text in problems if text[:1].isupper()]
        wrong += [f"{place}: {text}" for text in problems if text.endswith(".") and not text.startswith("{}")]
        wrong += [f"{place}: {text}" for text in hints if text and text[0].islower() and not text.startswith("pip ")]
    assert wrong == []


def test_hints_name_the_distribution_that_is_ours() -> None:
    wrong = [
        f"{place}: {text}"
        for place, call in raised()
        for keyword in call.keywords
        for text in texts(keyword.value)
        if re.search(r"pip install '?(?!\{\})mlox", text)
    ]
    assert wrong == []
    assert DISTRIBUTION == "mlox-sdk"
