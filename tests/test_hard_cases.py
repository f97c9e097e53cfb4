"""The hard cases of components, played by the verbs: what is done, what is said, and every byte afterwards."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.hard_case_stage import Case, Stage, all_cases, listed
from tests.shell_stage import Say

NUMBERS = range(1, 20)
"""All of them but the one of extraction, which has tests of its own."""


def _played() -> list[object]:
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(strict=True, reason=case.said["xfail"])] if "xfail" in case.said else [],
        )
        for case in all_cases()
        if "steps" in case.said
    ]


@pytest.mark.usefixtures("no_reports")
@pytest.mark.parametrize("case", _played())
def test_what_comes_of_it(case: Case, isolated: Path, say: Say) -> None:
    Stage(case, isolated, say).play()


def test_every_number_has_a_case() -> None:
    assert {case.number for case in all_cases()} == set(NUMBERS)


def test_what_is_proven_elsewhere_is_there() -> None:
    named = sorted({one for case in all_cases() for one in listed(case.said.get("proven_by"))})
    assert named
    for one in named:
        path, _, name = one.partition("::")
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        assert name.startswith("test_"), one
        assert callable(getattr(module, name)), one
