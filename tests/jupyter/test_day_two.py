"""The verbs of day two in cells: exec through redaction, a YAML stack that is only checked, use that sets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlox.stack.findings import Checked
from mlox.testing import FakeBackend
from tests.jupyter.cells import Run
from tests.jupyter.test_magics import MLFLOW, WRONG_BODIES

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture
def churn(run: Run) -> Run:
    """In a workspace."""
    run("%mlox init churn")
    return run


def test_a_command_shows_its_output_without_secrets(churn: Run, machine: FakeBackend) -> None:
    churn("%mlox up redis")
    machine.execs.programs["say"] = lambda argv, environment, _: (
        0,
        f"{argv[1]} {environment['REDISCLI_AUTH']} \u00fc\n".encode(),
    )
    ran = churn("%mlox exec redis -- say hello")
    assert (ran.error, ran.printed) == (None, "hello *** \u00fc\n")
    assert churn("%mlox exec redis --json -- say hello").value == {
        "code": 0,
        "stdout": "hello *** \u00fc\n",
        "stderr": "",
    }


def test_a_failing_command_is_an_error_of_two_lines(churn: Run) -> None:
    churn("%mlox up redis")
    assert churn("%mlox exec redis -- false").lines == [
        "error: exec ended with exit code 1",
        "hint: Look at what it says above.",
    ]


def test_a_stack_in_a_cell_is_checked_and_nothing_is_written(churn: Run, isolated: Path) -> None:
    before = (isolated / "mlox.yaml").read_bytes()
    ran = churn(f"%%mlox check\n{MLFLOW}")
    assert (ran.error, ran.text) == (None, "nothing to mend: mlflow")
    assert isinstance(ran.value, Checked)
    assert (isolated / "mlox.yaml").read_bytes() == before


@pytest.mark.parametrize("body", [body for body in WRONG_BODIES if body])
def test_what_is_wrong_in_a_cell_is_a_finding_at_its_line(churn: Run, body: str) -> None:
    churn("thing = object()")
    ran = churn(f"%%mlox check --exit-code\n{body}\n")
    assert ran.lines == [
        "error: check ended with exit code 4",
        "hint: There is something to mend, and --exit-code makes that a failure.",
    ]
    place, _, problem = WRONG_BODIES[body].partition(": ")
    wanted = problem if place.startswith("cell") else WRONG_BODIES[body]
    assert wanted[:40] in ran.displays[0]["text/plain"].replace("\n", " ")
    assert not place.startswith("cell:") or ran.displays[0]["text/plain"].startswith(place)


def test_a_check_says_the_same_on_every_run_and_more_in_html(churn: Run) -> None:
    churn("%mlox add mlflow")
    first, second = churn("%mlox check").text, churn("%mlox check").text
    assert first == second
    assert first.splitlines()[-1] == "1 finding"


def test_services_stand_in_one_place_only(churn: Run) -> None:
    assert "the services stand in the cell" in churn(f"%%mlox check mlflow\n{MLFLOW}").lines[0]


def test_use_of_a_service_that_nothing_is_set_for_shows_nothing(churn: Run) -> None:
    Path("services").mkdir()
    binary = "{name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}"
    unit = f"{{native: {{binary: {binary}, command: [sh]}}}}"
    page = f'name: page\nversion: "1"\nsummary: a page\nunits: {{server: {unit}}}\n'
    Path("services", "page.yaml").write_text(page)
    assert churn("%mlox up page").error is None
    ran = churn("%mlox use page")
    assert (ran.error, ran.displays, ran.value) == (None, [], None)
