"""How alerts go on: each rule against what one look saw, from how it stood before. Pure.

A condition that holds makes an alert ``pending``; after the rule's ``for`` it is ``firing``, and somebody is told. One
that holds no more is ``ok`` at once, or after ``keep_firing_for``, and somebody is told that it is resolved. What could
not be seen is ``unknown``, which neither fires nor resolves anything: that nobody answers is an alert of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mlox.alerts.records import Alert, Notification, Sight
from mlox.specs import AlertRuleSpec, Condition

SILENCE = "no-answer"
"""The rule that is always there, unless somebody writes one of their own about ``unanswered``."""

SILENCE_RULE = AlertRuleSpec.model_validate({"when": "unanswered", "for": 60})

ASKED_DOWN = "it is down, as somebody asked"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The alerts that are not ``ok``, in order, and what has to be told."""

    alerts: tuple[Alert, ...]
    notifications: tuple[Notification, ...]


def evaluate(
    stack: str,
    rules: Mapping[str, AlertRuleSpec],
    before: Iterable[Alert],
    sights: Iterable[Sight],
    now: float,
    *,
    unbroken: bool = True,
) -> Evaluated:
    """How the alerts stand after a look.

    Args:
        before: how they stood after the look before. ``unbroken``: whether that was so short a time ago that what held
            then held all the time; else what is pending begins anew.

    Example:
        >>> rules = {"down": AlertRuleSpec.model_validate({"when": "unhealthy", "for": "30s"})}
        >>> sick = [Sight("redis", healthy=False, why="it does not answer")]
        >>> first = evaluate("demo", rules, [], sick, 0.0)
        >>> later = evaluate("demo", rules, first.alerts, sick, 30.0)
        >>> first.alerts[0].state, [note.sentence for note in later.notifications]
        ('pending', ['FIRING down: redis (unhealthy): it does not answer'])
    """
    old = {alert.key: alert for alert in before}
    alerts: list[Alert] = []
    notifications: list[Notification] = []
    whole = with_silence(rules)
    for name, rule, sight in _pairs(whole, tuple(sights)):
        was = old.pop((name, sight.subject), None) or Alert(name, sight.subject, "ok", now)
        if was.state == "pending" and not unbroken:
            was = replace(was, since=now)
        then = _next(rule, was, sight, now)
        if then.state != "ok":
            alerts.append(then)
        if (turn := _turn(was, then)) is not None:
            notifications.append(_notification(stack, turn, was, then, rule.condition, now))
    for gone in old.values():
        if gone.state == "firing":
            ended = replace(gone, state="ok", since=now, seen="nothing is asked about it any more")
            when = whole[gone.rule].condition if gone.rule in whole else None
            notifications.append(_notification(stack, "resolved", gone, ended, when, now))
    return Evaluated(tuple(alerts), tuple(notifications))


def with_silence(rules: Mapping[str, AlertRuleSpec]) -> Mapping[str, AlertRuleSpec]:
    """The rules, with the one about servers that do not answer, which nobody has to write."""
    if not rules or any(rule.condition.measure == "unanswered" for rule in rules.values()):
        return rules
    name = SILENCE if SILENCE not in rules else f"{SILENCE}-of-servers"
    return {**rules, name: SILENCE_RULE}


def verdict(condition: Condition, sight: Sight) -> tuple[bool | None, str]:
    """Whether a condition holds, None where that cannot be known, and what was seen.

    Example:
        >>> from mlox.specs import condition
        >>> verdict(condition("restarts > 3"), Sight("redis", numbers={"restarts": 4}))
        (True, '4')
        >>> verdict(condition("restarts > 3"), Sight("redis", stands="down"))
        (False, 'it is down, as somebody asked')
    """
    if condition.measure == "unanswered":
        return sight.stands == "unanswered", sight.why
    if sight.stands == "down":
        return False, ASKED_DOWN
    if sight.stands == "unanswered":
        return None, sight.why
    if condition.measure == "unhealthy":
        return None if sight.healthy is None else not sight.healthy, sight.why
    value = sight.numbers.get(condition.measure)
    if value is None:
        return None, f"{condition.measure} could not be measured"
    if value == float("inf"):
        return True, "there is none"
    return condition.holds(value), condition.shown(value)


def _pairs(rules: Mapping[str, AlertRuleSpec], sights: tuple[Sight, ...]) -> Iterator[tuple[str, AlertRuleSpec, Sight]]:
    """Each rule with what it is about."""
    for name, rule in rules.items():
        about_services = rule.condition.measure != "unanswered"
        for sight in sights:
            if sight.service == about_services and rule.service in (None, sight.subject):
                yield name, rule, sight


def _next(rule: AlertRuleSpec, was: Alert, sight: Sight, now: float) -> Alert:
    """How an alert stands after a look."""
    holds, seen = verdict(rule.condition, sight)
    if holds is None:
        return replace(was, seen=seen) if was.state in ("firing", "unknown") else _became(was, "unknown", now, seen)
    if was.state == "firing":
        if holds:
            return replace(was, seen=seen, well_since=None)
        well_since = now if was.well_since is None else was.well_since
        if sight.stands != "down" and now - well_since < rule.keep_firing_for:
            return replace(was, seen=seen, well_since=well_since)
        return _became(was, "ok", now, seen)
    if not holds:
        return _became(was, "ok", now, seen)
    began = was.since if was.state == "pending" else now
    if now - began >= rule.for_:
        return _became(was, "firing", now, seen)
    return Alert(was.rule, was.subject, "pending", began, seen)


def _became(was: Alert, state: Literal["ok", "firing", "unknown"], now: float, seen: str) -> Alert:
    return Alert(was.rule, was.subject, state, now, seen)


def _turn(was: Alert, then: Alert) -> Literal["firing", "resolved"] | None:
    """What has to be told of a change."""
    if was.state != "firing" and then.state == "firing":
        return "firing"
    return "resolved" if was.state == "firing" and then.state != "firing" else None


def _notification(
    stack: str,
    status: Literal["firing", "resolved"],
    was: Alert,
    then: Alert,
    condition: Condition | None,
    now: float,
) -> Notification:
    began = then.since if status == "firing" else was.since
    identity = hashlib.sha256(f"{stack}/{then.rule}/{then.subject}/{began:.6f}/{status}".encode()).hexdigest()[:16]
    ended = now if status == "resolved" else None
    when = str(condition) if condition is not None else "the rule is gone"
    return Notification(identity, status, stack, then.rule, then.subject, when, began, ended, then.seen)
