"""How what waits for receivers reaches them: each by itself, remembered before and after, tried again later."""

from __future__ import annotations

from collections.abc import Callable

from mlox.alerts import Memory
from mlox.errors import MloxError
from mlox.plugins import find
from mlox.protocols import Receiver
from mlox.secret import Secret
from mlox.specs import TellSpec
from mlox.stack.surroundings import Surroundings

Remember = Callable[[Memory], None]


def receivers(tell: TellSpec) -> tuple[str, ...]:
    """Who is told by a message; notebooks read for themselves."""
    return tuple(name for name in ("webhook", "email") if getattr(tell, name) is not None)


def secrets_named(tell: TellSpec) -> tuple[str, ...]:
    """The names of the secrets that are needed to tell."""
    found = [tell.webhook] if tell.webhook is not None and "://" not in tell.webhook else []
    if tell.email is not None and tell.email.password is not None:
        found.append(tell.email.password)
    return tuple(dict.fromkeys(found))


def deliver(around: Surroundings, memory: Memory, now: float, remember: Remember) -> Memory:
    """Tell every receiver that is due what waits for it; one that fails is tried again later, and stops nobody.

    Args:
        remember: keeps the memory after each, so that nobody who is killed tells the same again.
    """
    for name in memory.due(now):
        try:
            _receiver(name, around).tell(memory.waiting[name])
        except MloxError as error:
            memory = memory.with_failure(name, error.problem, now)
        else:
            memory = memory.with_success(name)
        remember(memory)
    return memory


def _receiver(name: str, around: Surroundings) -> Receiver:
    """A receiver with its secrets, which are read for this message alone.

    Raises:
        SecretError: one cannot be read. DeliveryError: the address is none.
    """
    tell = around.spec.alerts.tell
    made: Receiver
    if name == "webhook":
        written = tell.webhook or ""
        made = find("receivers", "webhook")(Secret(written) if "://" in written else around.secrets.get(written))
    else:
        password = tell.email.password if tell.email is not None else None
        made = find("receivers", "email")(tell.email, around.secrets.get(password) if password is not None else None)
    return made
