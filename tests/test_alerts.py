"""How alerts begin and end: for any run of looks, and in the cases that people ask about."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mlox.alerts import Alert, Memory, Notification, Sight, evaluate, remembered
from mlox.alerts.evaluating import SILENCE
from mlox.alerts.memory import LAST_AGAIN_S, MOST_WAITING
from mlox.specs import AlertRuleSpec

STACK = "demo-1a2b"
SICK = Sight("redis", healthy=False, why="it does not answer its probe")
WELL = Sight("redis")
DOWN = Sight("redis", "down")
AWAY = Sight("redis", "unanswered", healthy=None, why="no engine")
LOOKS = (SICK, WELL, DOWN, AWAY, Sight("redis", healthy=None, why="it is starting"))


def rule(when: str = "unhealthy", **more: object) -> AlertRuleSpec:
    return AlertRuleSpec.model_validate({"when": when, **{key.rstrip("_"): value for key, value in more.items()}})


def run(
    given_rule: AlertRuleSpec, looks: list[tuple[float, Sight]], *, through: bool = False
) -> tuple[list[Alert], list[Notification]]:
    """The alert after each look, and all that is told; ``through``: by way of a file each time."""
    alerts: tuple[Alert, ...] = ()
    states: list[Alert] = []
    told: list[Notification] = []
    for at, sight in looks:
        found = evaluate(STACK, {"down": given_rule}, alerts, [sight], at)
        alerts = found.alerts
        if through:
            alerts = Memory.from_bytes(Memory(alerts=alerts).to_bytes()).alerts
        states.append(next(iter(found.alerts), Alert("down", "redis", "ok", at)))
        told += found.notifications
    return states, told


RUNS = st.lists(st.tuples(st.floats(0.5, 60), st.sampled_from(LOOKS)), min_size=1, max_size=30).map(
    lambda steps: list(zip(itertools.accumulate(gap for gap, _ in steps), (sight for _, sight in steps), strict=True))
)


@given(RUNS, st.floats(0, 90), st.floats(0, 90))
def test_it_fires_after_its_time_and_is_told_once_each_way(
    looks: list[tuple[float, Sight]], for_s: float, keep_s: float
) -> None:
    states, told = run(rule(for_=for_s, keep_firing_for=keep_s), looks)
    assert [note.status for note in told] == [
        status for status, _ in zip(itertools.cycle(("firing", "resolved")), told, strict=False)
    ]
    assert (states[-1].state == "firing") == (len(told) % 2 == 1)
    for note in told:
        at = note.began if note.status == "firing" else note.ended
        index = next(i for i, (when, _) in enumerate(looks) if when == at)
        if note.status == "firing":
            assert looks[index][1] is SICK
            unbroken = list(itertools.takewhile(lambda look: look[1] is SICK, reversed(looks[: index + 1])))
            assert looks[index][0] - unbroken[-1][0] >= for_s
        else:
            assert looks[index][1] in (WELL, DOWN)


@given(RUNS, st.floats(0, 90), st.floats(0, 90))
def test_a_watcher_that_is_started_anew_after_each_look_tells_the_same(
    looks: list[tuple[float, Sight]], for_s: float, keep_s: float
) -> None:
    one = rule(for_=for_s, keep_firing_for=keep_s)
    assert run(one, looks) == run(one, looks, through=True)


@given(RUNS)
def test_what_was_asked_to_be_down_never_alerts(looks: list[tuple[float, Sight]]) -> None:
    states, _ = run(rule(), looks)
    assert all(state.state == "ok" for state, (_, sight) in zip(states, looks, strict=True) if sight is DOWN)


@given(RUNS)
def test_what_cannot_be_seen_changes_nothing_that_was_told(looks: list[tuple[float, Sight]]) -> None:
    states, told = run(rule(), looks)
    for (_, sight), state, before in zip(looks[1:], states[1:], states, strict=False):
        if sight is AWAY:
            assert state.state == ("firing" if before.state == "firing" else "unknown")
    assert not [note for note in told if any(at == (note.ended or note.began) and s is AWAY for at, s in looks)]


@given(st.permutations(["a", "b", "c"]), st.permutations([SICK, Sight("db"), Sight("web", healthy=False)]))
def test_the_order_of_rules_and_services_means_nothing(names: list[str], sights: list[Sight]) -> None:
    rules = {"a": rule(), "b": rule("memory > 1g"), "c": rule("unhealthy", service="web", for_=5)}
    found = evaluate(STACK, {name: rules[name] for name in names}, (), sights, 1.0)
    usual = evaluate(STACK, rules, (), [SICK, Sight("db"), Sight("web", healthy=False)], 1.0)
    assert set(found.alerts) == set(usual.alerts)
    assert set(found.notifications) == set(usual.notifications)


def test_it_is_pending_then_fires_then_is_resolved() -> None:
    states, told = run(rule(for_="30s"), [(0, WELL), (10, SICK), (30, SICK), (40, SICK), (50, SICK), (60, WELL)])
    assert [(a.state, a.since) for a in states[:5]] == [
        ("ok", 0),
        ("pending", 10),
        ("pending", 10),
        ("firing", 40),
        ("firing", 40),
    ]
    assert [(note.status, note.began, note.ended) for note in told] == [("firing", 40, None), ("resolved", 40, 60)]
    assert len({note.id for note in told}) == 2


def test_one_that_flaps_goes_on_firing_as_long_as_is_asked() -> None:
    looks = [(0.0, SICK), (10.0, WELL), (20.0, SICK), (30.0, WELL), (55.0, WELL), (60.0, WELL)]
    _, told = run(rule(keep_firing_for="30s"), looks)
    assert [(note.status, note.ended) for note in told] == [("firing", None), ("resolved", 60.0)]


def test_after_a_gap_what_is_pending_begins_anew() -> None:
    pending = evaluate(STACK, {"down": rule(for_="30s")}, (), [SICK], 0.0).alerts
    later = evaluate(STACK, {"down": rule(for_="30s")}, pending, [SICK], 3600.0, unbroken=False)
    assert [(alert.state, alert.since) for alert in later.alerts] == [("pending", 3600.0)]


def test_a_rule_or_a_service_that_is_gone_is_resolved() -> None:
    firing = evaluate(STACK, {"down": rule()}, (), [SICK], 0.0).alerts
    for rules, sights in (({}, [SICK]), ({"down": rule()}, [])):
        found = evaluate(STACK, rules, firing, sights, 9.0)
        assert (found.alerts, [note.status for note in found.notifications]) == ((), ["resolved"])


def test_a_server_that_does_not_answer_is_an_alert_of_its_own() -> None:
    silent = [AWAY, Sight("server docker", "unanswered", why="no engine", service=False)]
    first = evaluate(STACK, {"down": rule()}, (), silent, 0.0)
    assert {(a.rule, a.subject, a.state) for a in first.alerts} == {
        ("down", "redis", "unknown"),
        (SILENCE, "server docker", "pending"),
    }
    later = evaluate(STACK, {"down": rule()}, first.alerts, silent, 60.0)
    assert [note.sentence for note in later.notifications] == [
        "FIRING no-answer: server docker (unanswered): no engine"
    ]
    own = evaluate(STACK, {"mute": rule("unanswered", for_="5m")}, (), silent, 0.0)
    assert [alert.rule for alert in own.alerts] == ["mute"], "who writes such a rule gets that one alone"


def test_a_measure_that_is_missing_is_unknown_and_one_beyond_fires() -> None:
    rules = {"memory": rule("memory > 1g"), "backup": rule("backup older than 1d")}
    sight = Sight("redis", numbers={"memory": None, "backup": float("inf")})
    found = evaluate(STACK, rules, (), [sight], 0.0)
    assert {(a.rule, a.state, a.seen) for a in found.alerts} == {
        ("memory", "unknown", "memory could not be measured"),
        ("backup", "firing", "there is none"),
    }


def test_who_cannot_be_told_is_tried_again_ever_later_and_misses_nothing() -> None:
    _, told = run(rule(), [(0, SICK), (10, WELL)])
    memory = Memory().with_told(told[:1], ["webhook"])
    waits = []
    for _ in range(9):
        memory = memory.with_failure("webhook", "it cannot be reached", 100.0)
        waits.append(memory.failures["webhook"].again - 100.0)
    assert waits == [5, 10, 20, 40, 80, 160, LAST_AGAIN_S, LAST_AGAIN_S, LAST_AGAIN_S]
    memory = memory.with_told(told[1:], ["webhook"])
    assert memory.due(101.0) == ()
    assert memory.due(100.0 + LAST_AGAIN_S) == ("webhook",)
    assert list(memory.waiting["webhook"]) == told
    after = memory.with_success("webhook")
    assert (after.waiting, after.failures, list(after.latest)) == ({}, {}, told)
    assert memory.with_told((), []).failures == {}, "a receiver that nobody writes any more is forgotten"


def test_no_more_wait_than_fit() -> None:
    _, told = run(rule(), [(0, SICK)])
    memory = Memory().with_failure("email", "no", 0.0)
    memory = memory.with_told(told * (MOST_WAITING + 3), ["email"])
    assert len(memory.waiting["email"]) == MOST_WAITING
    assert memory.failures["email"].dropped == 3


def test_a_memory_that_is_none_is_a_fresh_one(tmp_path: Path) -> None:
    path = tmp_path / "alerts.json"
    assert remembered(path) == Memory()
    for text in (b"", b"[]", b"{}", b'{"schema": 2}', b'{"schema": 1, "alerts": [{}]}', b"\xff"):
        path.write_bytes(text)
        assert remembered(path) == Memory(), text
