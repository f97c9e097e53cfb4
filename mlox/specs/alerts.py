"""What ``alerts:`` in ``mlox.yaml`` says: which rules there are, and whom a watcher tells."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mlox.specs.amounts import Duration
from mlox.specs.conditions import Condition, When, condition
from mlox.specs.model import Name, Spec, Text
from mlox.specs.registry import is_loopback

SUBMISSION, TLS_FROM_THE_START = 587, 465
"""The ports of mail submission: with STARTTLS, and with TLS from the first byte (RFC 6409, RFC 8314)."""


LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


def _checked_webhook(value: str) -> str:
    if "://" not in value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is https://HOST/..., or the name of a secret that holds that")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("it has to begin with https://, unless it is this machine")
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _checked_address(value: str) -> str:
    if len(value) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(value):
        raise ValueError("not an address: write name@example.org")
    return value


Address = Annotated[str, AfterValidator(_checked_address)]


class AlertRuleSpec(Spec):
    """One rule: of which service (none: each of them), when it holds, and for how long until it fires."""

    service: Name | None = None
    when: When
    for_: Duration = Field(default=0.0, alias="for")
    keep_firing_for: Duration = 0.0

    @property
    def condition(self) -> Condition:
        """``when``, read."""
        return condition(self.when)

    @model_validator(mode="after")
    def _about_a_service(self) -> Self:
        if self.condition.measure == "unanswered" and self.service is not None:
            raise ValueError("'unanswered' is about servers and backups: leave service out")
        return self


class EmailSpec(Spec):
    """A mail server, and who gets mail. ``password`` is the name of a secret; without ``user`` nobody logs in."""

    to: Annotated[list[Address], BeforeValidator(_as_list), Field(min_length=1)]
    server: Text
    port: Annotated[int, Field(ge=1, le=65535)] = SUBMISSION
    tls: Literal["starttls", "tls", "none"] | None = None
    user: Text | None = None
    password: Text | None = None
    from_: Address | None = Field(default=None, alias="from")

    @property
    def security(self) -> Literal["starttls", "tls", "none"]:
        """How the connection is secured: as it is written, else as the port says."""
        return self.tls or ("tls" if self.port == TLS_FROM_THE_START else "starttls")

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self.from_ or (self.user if self.user and "@" in self.user else self.to[0])

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.password is not None and self.tls == "none" and not is_loopback(self.server):
            raise ValueError("a password does not go over a connection without TLS")
        return self


class TellSpec(Spec):
    """Whom a watcher tells. ``webhook`` is an address, or the name of a secret that holds one."""

    notebook: bool = True
    webhook: Annotated[Text, AfterValidator(_checked_webhook)] | None = None
    email: EmailSpec | None = None


class AlertsSpec(Spec):
    """Rules by name, and whom a watcher tells."""

    rules: dict[Name, AlertRuleSpec] = Field(default_factory=dict)
    tell: TellSpec = Field(default_factory=TellSpec)
