"""Whether a unit's container is healthy: its state first, then the probe that its author wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlox.backends.asking import binding, page, timed
from mlox.backends.docker import containers, executing, files, observing, ports
from mlox.backends.docker.labels import Name
from mlox.backends.docker.site import Site
from mlox.errors import CommandError
from mlox.protocols import Health
from mlox.units import Probe, Unit
from mlox.variables import finish

LOOP = 3
"""When the run after so many restarts has ended too, a unit is dead: it will not get better by waiting."""


def probe(site: Site, unit: Unit) -> Health:
    """Ask once."""
    name = Name.of(unit)
    details = containers.of_unit(site.engine, name)
    if details is None or details["State"]["Status"] == "created":
        return Health(False, "it is not running", dead=True)
    state = details["State"]
    restarts = int(details["RestartCount"])
    if state["Status"] in ("exited", "dead"):
        if unit.completes and state["ExitCode"] == 0 and str(details["Name"]).lstrip("/") != name.stopped:
            return Health(True, "it has ended well")
        return Health(False, observing.ended(state), dead=True)
    if state["Paused"]:
        return Health(False, "it is paused")
    if state["Restarting"]:
        last = observing.ended(state)
        if restarts >= LOOP:
            return Health(False, f"it was started {restarts + 1} times, the last one ended with {last}", dead=True)
        return Health(False, f"it is being started again, after: {last}")
    if unit.completes:
        return Health(False, "it has not ended yet")
    return _ask(site, details, unit)


def _ask(site: Site, details: Mapping[str, Any], unit: Unit) -> Health:
    asked = unit.probe
    if asked is None:
        return Health(True, "running")
    if asked.kind == "container":
        health = (details["State"].get("Health") or {}).get("Status", "none")
        detail = "running" if health == "none" else _last(details, health)
        return Health(health in ("healthy", "none"), detail, took_ms=_took(details))
    return timed(lambda: _answer(site, details, unit, asked))


def _answer(site: Site, details: Mapping[str, Any], unit: Unit, asked: Probe) -> Health:
    if asked.kind == "exec":
        return _exec(site, details, asked)
    port = binding(unit, asked.port)
    if not site.engine.address.here:
        return Health(False, f"port {port.number} is on another machine, where nobody here can ask it")
    if asked.kind == "tcp":
        accepted = ports.answers(port.number, asked.timeout_s)
        return Health(accepted, f"port {port.number} {'accepts' if accepted else 'does not accept'} connections")
    return page(port, asked)


def _took(details: Mapping[str, Any]) -> float | None:
    """How long the engine's last health check took."""
    log = (details["State"].get("Health") or {}).get("Log") or ()
    began, ended = (observing.seconds(str(log[-1].get(key) or "0001-")) if log else None for key in ("Start", "End"))
    return (ended - began) * 1000 if began is not None and ended is not None else None


def _last(details: Mapping[str, Any], health: str) -> str:
    """What the engine's health check said last."""
    log = (details["State"].get("Health") or {}).get("Log") or ()
    lines = str(log[-1].get("Output") or "").strip().splitlines() if log else []
    return f"the engine's health check says {health}" + (f": {lines[-1]}" if lines else "")


def _exec(site: Site, details: Mapping[str, Any], asked: Probe) -> Health:
    """Run it inside, with the unit's variables."""
    words = tuple(finish(word) for word in asked.argv)
    shown = words[0].rpartition("/")[2]
    written = bytearray()
    argv = files.through(is_scripted(details), words)
    container = str(details["Id"])
    try:
        code = executing.run(
            site, container, argv, given=None, timeout_s=asked.timeout_s, take=lambda _, part: written.extend(part)
        )
    except executing.TooLong:
        return Health(False, f"{shown} did not end in {asked.timeout_s:g} s")
    except CommandError as error:  # it ends just now
        return Health(False, error.problem)
    lines = written.decode("utf-8", "replace").strip().splitlines()
    return Health(code == 0, f"{shown} ended with exit code {code}" + (f": {lines[-1]}" if lines else ""))


def is_scripted(details: Mapping[str, Any]) -> bool:
    """Whether a container starts through the script on its volume."""
    return list(details["Config"].get("Entrypoint") or ())[:2] == [files.SHELL, files.SCRIPT]
