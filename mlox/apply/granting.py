"""How a consumer gets its account at a provider, and how that goes with its data: commands inside the provider."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from mlox.apply.health import await_answer
from mlox.apply.seams import Seams
from mlox.errors import SecretNotFoundError, ServiceError
from mlox.grants import Grant
from mlox.protocols import Emit, Event, Observed
from mlox.secret import Secret
from mlox.units import Job, Unit
from mlox.variables import references, substitute

Copying = Literal["keep", "take_back", "forget"]

TIMEOUT_S = 120.0
COPYING_S = 1200.0
COPYING: dict[Copying, str] = {
    "keep": "keeping a copy of {}",
    "take_back": "taking {} back",
    "forget": "removing the copy of {}",
}
PREFIX = "granted_"
"""What stands before the keys of the consumer's secrets, among those of the provider."""


def grant(
    unit: Unit, secrets: Mapping[str, Secret], seams: Seams, emit: Emit, *, cancel: threading.Event | None = None
) -> None:
    """Give ``unit`` its accounts, with its passwords of now; where it has them already, nothing changes.

    A provider that runs may have been started again a moment ago, by its engine or after a reboot: it is waited for.

    Args:
        unit: the consumer, as it will start. ``secrets``: its own, by its keys. ``cancel``: ends the waiting.

    Raises:
        ServiceError: the provider does not run, or refused.
    """
    for each in unit.grants:
        there = running(unit, each, seams)
        await_answer(there, seams.backends[there.server], emit=emit, cancel=cancel)
        _run(there, each, Job(f"grant-{unit.service}", each.argv, timeout_s=TIMEOUT_S), secrets, seams, emit)


def check_revocable(unit: Unit, leaving: Collection[str], seams: Seams) -> None:
    """Refuse to purge a consumer whose accounts cannot be taken away now, while all of it is there.

    Args:
        unit: the consumer. ``leaving``: services whose data is purged as well, with all that consumers have there.

    Raises:
        ServiceError: a provider has data of the consumer, and does not run.
    """
    for each in _revocable(unit, leaving):
        there = there_is(unit, each, seams)
        if there is not None and there.state == "stopped":
            raise ServiceError(
                f"{unit.service} has data in {each.provider}, which does not run; nothing of it was removed",
                hint=f"Start that, then purge again: mlox up {each.provider}.",
            )


def revoke(unit: Unit, leaving: Collection[str], seams: Seams, emit: Emit) -> None:
    """Take the accounts of ``unit`` away, with what is in them; where an account or its provider is gone, nothing.

    Raises:
        ServiceError: a provider refused.
    """
    for each in _revocable(unit, leaving):
        there = there_is(unit, each, seams)
        if there is not None:
            _run(there.unit, each, Job(f"revoke-{unit.service}", each.revoke, timeout_s=TIMEOUT_S), {}, seams, emit)


def copies(what: Copying, units: Iterable[Unit], seams: Seams, emit: Emit) -> None:
    """Copy what units have at their providers, or put the copies in its place, or remove them.

    Where a provider knows of no copies, or there are none, nothing changes.

    Raises:
        ServiceError: a provider does not run, or refused.
    """
    for unit in units:
        for each in (each for each in unit.grants if each.copies is not None):
            there = running(unit, each, seams)
            emit(Event(unit.service, COPYING[what].format(each)))
            job = Job(f"{what}-{unit.service}".replace("_", "-"), getattr(each.copies, what), timeout_s=COPYING_S)
            _run(there, each, job, {}, seams, emit)


def forget_given(provider: Unit, seams: Seams) -> None:
    """Before a provider's data is purged: forget the passwords that consumers have there.

    A consumer that stays gets new ones, and with them an account again, when the provider comes back.
    """
    for o in _everything(provider.stack, seams):
        for each in o.unit.grants:
            refs = [o.unit.secret(key) for key in _keys(each) if each.provider == provider.service]
            for ref in filter(None, refs):
                with contextlib.suppress(SecretNotFoundError):
                    seams.store.delete(ref.name)


def _revocable(unit: Unit, leaving: Collection[str]) -> list[Grant]:
    return [each for each in unit.grants if each.revoke and each.provider not in leaving]


def running(unit: Unit, grant: Grant, seams: Seams) -> Unit:
    """The provider's unit.

    Raises:
        ServiceError: it does not run.
    """
    there = there_is(unit, grant, seams)
    if there is None or there.state == "stopped":
        raise ServiceError(
            f"{unit.service} needs {grant}, which does not run", hint=f"Start it: mlox up {grant.provider}."
        )
    return there.unit


def there_is(unit: Unit, grant: Grant, seams: Seams) -> Observed | None:
    """The provider's unit as it is now, on whichever server."""
    found = _everything(unit.stack, seams)
    return next((o for o in found if (o.service, o.name) == (grant.provider, grant.unit)), None)


def _everything(stack: str, seams: Seams) -> Iterator[Observed]:
    """What there is of a stack, on all of its servers."""
    backends = {id(backend): backend for backend in seams.backends.values()}.values()
    return (o for backend in backends for o in backend.observe(stack))


def _keys(grant: Grant) -> set[str]:
    """The consumer's secrets that the grant gives, by the consumer's keys."""
    return {variable.name for _, text in grant.environment for variable in references(text)}


def _run(provider: Unit, grant: Grant, job: Job, secrets: Mapping[str, Secret], seams: Seams, emit: Emit) -> None:
    """Run a command inside the provider, with what the grant says of those of the consumer's secrets that are given."""
    given = {key: secrets[key] for key in _keys(grant) if key in secrets}
    told = [(name, text) for name, text in grant.environment if all(v.name in given for v in references(text))]
    renamed = ((name, substitute(text, lambda v: f"${{secret.{PREFIX}{v.name}}}")) for name, text in told)
    there = replace(provider, environment=(*provider.environment, *renamed))
    own = {ref.key: seams.store.get(ref.name, ref.version or None) for ref in provider.secrets}
    everything = {**own, **{f"{PREFIX}{key}": secret for key, secret in given.items()}}
    seams.backends[provider.server].run_job(there, job, everything, emit)
