"""A deployment can be ended whenever an interrupt comes, also before somebody waits for it."""

from __future__ import annotations

import threading

import pytest

from mlox.errors import Cancelled
from mlox.stack import deployment
from mlox.stack.deployment import Deployment, cancel_all
from mlox.values import Deployed


def test_one_that_nobody_waits_for_is_cancelled_with_the_process() -> None:
    begun = threading.Event()

    def work(cancel: threading.Event) -> Deployed:
        begun.set()
        assert cancel.wait(30)
        raise Cancelled("ended", hint="Again.")

    under_way = Deployment(work, lambda: None)
    assert begun.wait(30)
    cancel_all()
    with pytest.raises(Cancelled, match="ended"):
        under_way.wait()


def test_an_interrupt_while_it_is_made_lets_nothing_begin_and_no_thread_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(set[Deployment]):
        def add(self, _: Deployment, /) -> None:
            raise KeyboardInterrupt

    begun: list[threading.Event] = []

    def work(cancel: threading.Event) -> Deployed:
        begun.append(cancel)
        raise AssertionError

    monkeypatch.setattr(deployment, "_UNDER_WAY", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        Deployment(work, lambda: None)
    for thread in threading.enumerate():
        if thread.name.startswith("mlox-deployment"):
            thread.join(10)
            assert not thread.is_alive()
    assert begun == []
