"""What is the matter with a service: the first of the possible causes that the facts bear out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from mlox.errors import MloxError
from mlox.explaining.case import Case, Diagnosis, Sight
from mlox.explaining.sentences import by_itself, evidence, fate, given_up, meaning, times
from mlox.explaining.told import told_by
from mlox.specs import EMBEDDED

FULL_BYTES = 30_000_000
"""With less free disk than that, services fail in ways that look like something else."""

FAILED = frozenset({"unhealthy", "starting", "stopped", "absent"})

Look = Callable[[Case, Sight], Diagnosis | None]


def diagnose(case: Case) -> Diagnosis:
    """The explanation of a service: of the unit that does worst.

    Example:
        >>> diagnose(Case("redis")).problem
        'redis is in mlox.yaml, and was never started.'
    """
    if case.forwards:
        return _of_users(case, _diagnosed(case))
    return _diagnosed(case)


def _of_users(case: Case, found: Diagnosis) -> Diagnosis:
    """A forwarder starts with those who need it: they are what a person names."""
    again = f"mlox up {case.users[0]}" if case.users else "mlox up --prune"
    step = found.step
    for word in ("up", "restart"):
        step = step.replace(f"mlox {word} {case.name}", again)
    return replace(found, step=step)


def _diagnosed(case: Case) -> Diagnosis:
    if not case.sights:
        return _absent(case)
    sight = min(case.sights, key=_rank)
    found = next((found for look in LOOKS if (found := look(case, sight)) is not None), None)
    if found is None:
        return _well(case, sight)
    if found.cause not in ("starting", "data-gone") and case.refusal is not None and not found.well:
        return _refused(found, case)
    if not found.well and sight.seen.state in (
        "running",
        "starting",
    ):  # up leaves what is kept alive
        return replace(found, step=found.step.replace(f"mlox up {case.name}", f"mlox restart {case.name}"))
    return found


def status(case: Case, found: Diagnosis) -> Literal["running", "starting", "unhealthy", "stopped", "absent"]:
    """The word that a status has for it."""
    if not case.sights:
        return "absent"
    if all(sight.well for sight in case.sights):
        return "running"
    if found.cause == "starting":
        return "starting"
    return "stopped" if min(case.sights, key=_rank).seen.state == "stopped" else "unhealthy"


def _rank(sight: Sight) -> int:
    """The worse, the smaller; a unit that runs and does not answer is as bad as a stopped one."""
    order = ("failed", "orphaned", "stopped", "starting", "running")
    if sight.well:
        return len(order)
    return order.index("stopped" if sight.seen.state == "running" else sight.seen.state)


def _absent(case: Case) -> Diagnosis:
    found = Diagnosis("absent", f"{case.name} is in mlox.yaml, and was never started.", step=f"mlox up {case.name}")
    return _refused(found, case) if case.refusal is not None else found


def _refused(found: Diagnosis, case: Case) -> Diagnosis:
    """What ``up`` would say now is the next obstacle, whatever it was that stopped the service."""
    refusal = case.refusal
    if refusal is None or refusal.problem in found.problem:
        return found
    told = found.noting(f"It could not be started now: {_first(refusal).removeprefix(f'{case.name}: ')}.")
    return Diagnosis(told.cause, told.problem, told.detail, told.evidence, refusal.hint or told.step)


def _first(error: MloxError) -> str:
    return error.problem.splitlines()[0].rstrip(".")


# What each looks for, the most fundamental first


def _unreadable(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.seen.state != "failed" or "cannot be read" not in sight.seen.note:
        return None
    problem = f"What mlox wrote down about {case.name} when it was started cannot be read."
    return Diagnosis("annotation-unreadable", problem, (sight.seen.note,), step=f"mlox up {case.name}")


def _orphaned(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.seen.state != "orphaned":
        return None
    problem = f"{case.name} runs, but its supervisor is gone: nothing starts it again when it ends."
    return Diagnosis("orphaned", problem, times(sight), step=f"mlox up {case.name}")


def _rebooted(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.seen.state != "stopped" or not sight.findings.rebooted:
        return None
    problem = f"{case.name} is stopped because the machine was restarted; after that services wait for mlox up."
    return Diagnosis("reboot", problem, step=f"mlox up {case.name}")


def _asked_to_stop(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.seen.state != "stopped" or sight.seen.note or sight.last is None or given_up(sight):
        return None
    problem = f"{case.name} was stopped on request (mlox down); its data is kept."
    return Diagnosis("stopped", problem, times(sight), step=f"mlox up {case.name}")


def _unbegun(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.seen.state != "stopped" or sight.seen.note or sight.last is not None:
        return None
    problem = f"The last start of {case.name} broke off before its process began."
    return Diagnosis("unbegun", problem, evidence=evidence(sight), step=f"mlox up {case.name}")


def _full(case: Case, sight: Sight) -> Diagnosis | None:
    if case.disk_free_bytes is None or case.disk_free_bytes >= FULL_BYTES or sight.well:
        return None
    step = f"Free some space (mlox clean removes what nothing uses), then: mlox up {case.name}"
    detail = (f"{case.disk_free_bytes / 1e6:.0f} MB are free", *times(sight))
    return Diagnosis("disk-full", f"{case.name} {fate(sight)}: the disk is full.", detail, evidence(sight), step)


def _provider(case: Case, sight: Sight) -> Diagnosis | None:
    broken = next((w for w in case.wires if w.provider != EMBEDDED and w.status in FAILED), None)
    if sight.well or broken is None:
        return None
    problem = f"{case.name} {fate(sight)}: {broken.provider}, its {broken.need}, is {broken.status}."
    asleep = broken.status in ("stopped", "absent")
    again = "" if sight.seen.state == "running" else f", then: mlox up {case.name}"
    step = f"mlox up {broken.provider}{again}" if asleep else f"mlox why {broken.provider}"
    return Diagnosis("provider-down", problem, times(sight), evidence(sight), step)


def _gone(case: Case, sight: Sight) -> Diagnosis | None:
    missing = dict(reversed(sight.findings.missing))
    if "data" in missing and (sight.seen.state != "stopped" or given_up(sight)):
        problem = f"The data folder of {case.name} is gone; it was removed outside of mlox."
        step = f"Bring the folder back if you have a copy; mlox restart {case.name} begins with an empty one"
        detail = tuple(path for kind, path in sight.findings.missing if kind == "data")
        return Diagnosis("data-gone", problem, detail, evidence(sight), step)
    if sight.well:
        return None
    if "environment" in missing:
        problem = f"{case.name} {fate(sight)}: the Python environment that it runs in is gone."
        detail = (f"it held {missing['environment']}",)
        return Diagnosis("environment-gone", problem, detail, evidence(sight), f"mlox up {case.name}")
    if "program" in missing:
        problem = f"{case.name} {fate(sight)}: its program {missing['program']} is not on the PATH any more."
        step = f"Install {missing['program']}, then: mlox up {case.name}"
        return Diagnosis("program-gone", problem, (), evidence(sight), step)
    return None


def _lost_secret(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.well or not case.lost:
        return None
    which = f"the secret {case.lost[0]}" if len(case.lost) == 1 else f"the secrets {', '.join(case.lost)}"
    problem = f"{case.name} {fate(sight)}: {which} that it was started with cannot be found in any store."
    made = {ref.name for ref in sight.seen.unit.secrets if ref.generate}
    step = f"Set it again: mlox secrets set {case.lost[0]}"
    if made & set(case.lost):
        step = f"Bring the folder of the store back; without a copy, mlox down {case.name} --purge begins anew, empty"
    return Diagnosis("secret-missing", problem, (), evidence(sight), step)


def _robbed(case: Case, sight: Sight) -> Diagnosis | None:
    holders = sight.findings.holders
    if sight.well or not holders:
        return None
    numbers = {port.name: port.number for port in sight.seen.unit.ports}
    detail = tuple(f"port {numbers.get(name, '?')} ({name}) is held by {who}" for name, who in holders.items())
    problem = f"{case.name} {fate(sight)}: another program holds its port."
    return Diagnosis("port-taken", problem, (*detail, *times(sight)), evidence(sight), f"mlox up {case.name}")


def _told(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.well or (sight.seen.state in ("running", "starting") and not sight.seen.restarts):
        return None  # what its log says may be of an earlier run
    told = told_by(sight.log)
    if told is None:
        return None
    problem = f"{case.name} {fate(sight)}: {told.meaning}, says its log."
    step = told.step.replace("{name}", case.name)
    return Diagnosis(told.cause, problem, times(sight), evidence(sight), step)


def _ended(case: Case, sight: Sight) -> Diagnosis | None:
    died = sight.seen.state == "failed" or (sight.seen.state == "stopped" and given_up(sight))
    if not died and not (sight.seen.restarts and not sight.well):
        return None
    how = by_itself(sight) or sight.seen.note or sight.health.detail
    cause = "killed" if "SIGKILL" in how else "died"
    problem = f"{case.name} {fate(sight)}: {meaning(how)}."
    step = f"Mend what its last lines say, then: mlox up {case.name}"
    if cause == "killed":
        step = f"mlox up {case.name}"
    return Diagnosis(cause, problem, times(sight), evidence(sight), step)


def _waits(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.seen.state != "stopped":
        return None
    native = sight.seen.unit.backend == "native"
    cause = "supervisor-gone" if native else "not-started"
    why = "its supervisor was ended" if native else "its container was made and did not start"
    problem = f"{case.name} is stopped because {why}; it waits for mlox up."
    return Diagnosis(cause, problem, times(sight), step=f"mlox up {case.name}")


def _starting(case: Case, sight: Sight) -> Diagnosis | None:
    probe = sight.seen.unit.probe
    since = sight.seen.since
    young = probe is not None and (since is None or case.now - since < probe.start_timeout_s)
    if sight.well or not (sight.seen.state == "starting" or young):
        return None
    problem = f"{case.name} is starting, and does not answer yet."
    return Diagnosis("starting", problem, times(sight), step=f"Wait a little, then: mlox status {case.name}")


def _silent(case: Case, sight: Sight) -> Diagnosis | None:
    if sight.well:
        return None
    problem = f"{case.name} runs, but does not answer its probe."
    return Diagnosis("unhealthy", problem, times(sight), evidence(sight), f"mlox restart {case.name}")


def _restarted(case: Case, sight: Sight) -> Diagnosis | None:
    if not sight.seen.restarts or sight.last is None or sight.last.asked:
        return None
    problem = f"{case.name} runs, after it had ended by itself and was started again: {meaning(sight.last.how)}."
    step = f"Look at what it wrote: mlox logs {case.name}"
    return Diagnosis("restarted", problem, times(sight), evidence(sight), step, well=True)


LOOKS: tuple[Look, ...] = (
    *(_unreadable, _orphaned, _rebooted, _asked_to_stop, _unbegun, _full, _provider, _gone, _lost_secret),
    *(_robbed, _told, _ended, _waits, _starting, _silent, _restarted),
)


def _well(case: Case, sight: Sight) -> Diagnosis:
    found = Diagnosis("well", f"{case.name} runs as it should.", times(sight), well=True)
    if not case.listed:
        found = Diagnosis(
            "unlisted", f"{case.name} runs, but is not in mlox.yaml.", step=f"mlox down {case.name}", well=True
        )
    elif case.differs:
        differs = ", ".join(case.differs)
        problem = f"{case.name} runs, but otherwise than mlox.yaml says by now: {differs}."
        found = Diagnosis("differs", problem, found.detail, step=f"mlox up {case.name}", well=True)
    if any(kind == "environment" for kind, _ in sight.findings.missing):
        found = found.noting("Its Python environment is gone, so it could not start again; mlox up builds it anew.")
    if case.refusal is not None:
        found = found.noting(f"mlox up would be refused now: {_first(case.refusal)}.")
    if case.lost:
        found = found.noting(f"No store has its secret {case.lost[0]} any more, so it could not start again.")
    return found
