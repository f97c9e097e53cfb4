"""How an explanation looks in a cell."""

from __future__ import annotations

from mlox.testing import FakeBackend
from tests.jupyter.cells import Run


def test_why_speaks_as_a_cell_does(run: Run, machine: FakeBackend) -> None:
    run("%mlox init churn")
    run("%mlox up redis")
    machine.reboot()
    ran = run("told = %mlox why redis\ntold")
    assert ran.text.splitlines() == [
        "redis is stopped because the machine was restarted; after that services wait for %mlox up.",
        "next: %mlox up redis",
        "needed by: no other service of this stack",
    ]
    assert "next: %mlox up redis" in ran.displays[0]["text/html"]
    assert run("told.diagnosis.cause").text == "'reboot'"
    assert "<table>" in run("%mlox why redis --settings").displays[0]["text/html"]
