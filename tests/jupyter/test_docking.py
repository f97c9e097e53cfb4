"""Panels beside the notebook: JupyterLab's shell is asked for one after the other, and says when a tab was closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mlox
from mlox.testing import FakeBackend
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.panels.docking import DOCK, Dock
from mlox_jupyter.panels.panel import Panel


class Lab:
    """JupyterLab's shell: what it was asked, and what it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from ipylab.shell import Shell

        self.asked: list[dict[str, Any]] = []
        self.there: list[dict[str, Any]] = []
        monkeypatch.setattr(Shell, "send", lambda _, message: self.asked.append(message["payload"]))

    def answer(self) -> None:
        """All that was asked for is docked now."""
        ids = {one["serializedWidget"] for one in self.there}
        new = [one for one in self.asked if one["serializedWidget"] not in ids]
        self.show([*self.there, *({**one, "id": f"id-{len(ids) + at}"} for at, one in enumerate(new))])

    def show(self, there: list[dict[str, Any]]) -> None:
        self.there = there
        assert DOCK._shell is not None
        DOCK._shell.set_state({"_widgets": there})


@pytest.fixture
def lab(machine: FakeBackend, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    del machine
    mlox.Stack("demo", path=isolated).add("redis")
    monkeypatch.setattr(DOCK, "_shell", None)
    yield Lab(monkeypatch)
    close_all()
    assert (DOCK._boxes, DOCK.docked) == ({}, {})


def tell(panel: Panel, question: str) -> None:
    """What a view tells by itself."""
    panel._handle_custom_msg({"ask": question}, [])


def test_the_first_is_beside_and_others_wait_to_be_behind_it(lab: Lab, isolated: Path) -> None:
    stack, secrets = open_panel("stack", folder=isolated), open_panel("secrets", folder=isolated)
    for panel in (stack, secrets, stack):
        tell(panel, "dock")
    assert [(one["area"], one["args"]) for one in lab.asked] == [("main", {"mode": "split-right"})]
    lab.answer()
    assert [one["args"] for one in lab.asked[1:]] == [{"mode": "tab-after", "ref": "id-0"}]
    lab.answer()
    assert [one.docked for one in (stack, secrets)] == [True, True]


def test_a_tab_that_is_closed_is_back_in_its_cell_and_may_be_docked_again(lab: Lab, isolated: Path) -> None:
    panel = open_panel("stack", folder=isolated)
    tell(panel, "dock")
    lab.answer()
    lab.show([])
    assert not panel.docked
    tell(panel, "dock")
    lab.answer()
    assert panel.docked


def test_one_that_is_wanted_here_stays_here(lab: Lab, isolated: Path) -> None:
    panel = open_panel("stack", folder=isolated, here=True)
    tell(panel, "dock")
    assert lab.asked == []
    panel = open_panel("stack", folder=isolated)
    tell(panel, "dock")
    lab.answer()
    tell(panel, "undock")
    assert not panel.docked
    tell(panel, "dock")
    assert len(lab.asked) == 1


def test_one_that_is_opened_again_takes_the_place_of_the_docked_one(lab: Lab, isolated: Path) -> None:
    before = open_panel("stack", folder=isolated)
    tell(before, "dock")
    lab.answer()
    after = open_panel("stack", folder=isolated)
    tell(before, "dock")
    assert len(lab.asked) == 1, "what is closed asks for nothing"
    tell(after, "dock")
    lab.answer()
    assert after.docked


def test_an_answer_that_comes_too_late_lets_nobody_wait_for_ever(lab: Lab, isolated: Path) -> None:
    stack, catalog = open_panel("stack", folder=isolated), open_panel("catalog", folder=isolated)
    tell(stack, "dock")
    tell(catalog, "dock")
    again = open_panel("stack", folder=isolated)
    tell(again, "dock")
    lab.answer()
    lab.answer()
    assert [one.docked for one in (catalog, again)] == [True, True]


def test_without_what_docks_nothing_is_asked(lab: Lab, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dock, "is_there", staticmethod(lambda: False))
    tell(open_panel("stack", folder=isolated), "dock")
    assert lab.asked == []
