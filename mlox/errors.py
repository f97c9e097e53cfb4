"""Which errors mlox raises on purpose.

Every one is a :class:`MloxError` with a problem (what, where, what was seen) and a hint (one imperative sentence)::

    MloxError
    ├── UsageError (ValueError)              a verb was called wrongly                        exit code 2
    │   └── UnknownNameError (LookupError)   a name that nothing answers to                   exit code 2
    ├── SpecError (ValueError)               what a file or a call says is wrong              exit code 2
    │   └── WiringError                      a need has no provider, or more than one         exit code 2
    ├── WorkspaceError (OSError)             the workspace cannot be read or written
    ├── DependencyError                      no set of versions is all that a project depends on
    ├── RequirementError (OSError)           the server lacks memory, disk, a binary, a port
    │   └── PortTakenError               somebody took a port between plan and start
    ├── PlatformError (OSError)              this operating system or kernel cannot act
    ├── DriftError                           the world changed between plan and apply
    ├── LockedError (TimeoutError)           somebody else holds the stack
    ├── CommandError (OSError)               a command that mlox ran failed
    ├── ServiceError                         a service died or a job failed
    │   ├── NotHealthyError (TimeoutError)   a service did not become healthy in time
    │   └── RolledBackError                  an update failed; what ran before runs again, with its data
    ├── BackupError                          a backup cannot be kept, found or read
    ├── DeliveryError                        somebody could not be told of an alert
    ├── PartialError                         part of what was asked for was reached           exit code 3
    ├── SecretError                          a secret store refused or failed
    │   ├── SecretNotFoundError (LookupError)
    │   ├── SecretConflictError              two branches set a secret, and nobody has chosen yet
    │   ├── RecipientsChangedError           others can read new secrets than those that the user agreed to
    │   └── IdentityError                    the key that opens the store is broken or missing
    ├── ClientError (ImportError)            the client package of a service is not installed
    ├── Cancelled                            the user interrupted                             exit code 130
    └── InternalError                        a defect of mlox itself
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

DISTRIBUTION = "mlox-sdk"


class MloxError(Exception):
    """The base of every deliberate error: a problem and, where there is one, a hint.

    Example:
        >>> str(MloxError("no service 'mlfow'", hint="Did you mean 'mlflow'?"))
        "no service 'mlfow'"
    """

    exit_code = 1

    def __init__(self, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return self.problem

    def to_json(self) -> dict[str, Any]:
        """The object below the key ``error`` of every ``--json`` failure."""
        return {"type": type(self).__name__, "problem": self.problem, "hint": self.hint}

    def _render_traceback_(self) -> list[str]:
        """Two lines in place of a traceback, wherever IPython shows this error."""
        return [f"error: {self.problem}", *([f"hint: {self.hint}"] if self.hint else [])]


class UsageError(MloxError, ValueError):
    """A verb, an option or an argument was used wrongly."""

    exit_code = 2


class UnknownNameError(UsageError, LookupError):
    """A name that nothing answers to; the hint names the nearest one.

    Example:
        >>> UnknownNameError.among("service", "mlfow", ["mlflow", "redis"]).hint
        "Did you mean 'mlflow'?"
    """

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], *, where: str = "") -> UnknownNameError:
        """The error for ``name``, which is not one of ``known``."""
        names = sorted(known)
        there = f"Choose one of: {', '.join(names)}." if names else f"Leave it out: there is no {kind} here yet."
        hint = nearest(name, names) or there
        return cls(f"{where}unknown {kind} {name!r}", hint=hint)


class SpecError(MloxError, ValueError):
    """What a file or a call says cannot be right; names the file, the line and the key."""

    exit_code = 2


class WiringError(SpecError):
    """A need has no provider, more than one, or one that does not fit."""


class WorkspaceError(MloxError, OSError):
    """The workspace's files cannot be found, read or written."""


class DependencyError(MloxError):
    """What a project depends on and what a component asks for exclude each other; nothing was written."""


class RequirementError(MloxError, OSError):
    """A server lacks what a service requires: memory, disk, a binary, a free port."""


class PortTakenError(RequirementError):
    """Somebody took a port between the plan and the start; another plan chooses another port."""


class PlatformError(MloxError, OSError):
    """This operating system, or this kernel, cannot do what was asked."""


class DriftError(MloxError):
    """What runs is no longer what the plan was made from; what differs was left alone."""


class LockedError(MloxError, TimeoutError):
    """Another process works on the same stack, and did not finish in time."""


class CommandError(MloxError, OSError):
    """A command that mlox ran ended with a failure; the problem ends with its last lines."""


class ServiceError(MloxError):
    """A service died, or one of its jobs failed; the problem ends with its last lines."""


class NotHealthyError(ServiceError, TimeoutError):
    """A service did not answer its probe in time."""


class RolledBackError(ServiceError):
    """An update of a service failed, and what ran before runs again; the problem tells both."""


class BackupError(MloxError):
    """A backup cannot be kept, found or read; what was to be saved is as it was."""


class DeliveryError(MloxError):
    """Somebody could not be told of an alert; it is tried again."""


class PartialError(MloxError):
    """Some of the services were reached and some were not; ``failures`` holds the reasons by service."""

    exit_code = 3

    def __init__(
        self, problem: str, *, hint: str | None = None, failures: Sequence[tuple[str, MloxError]] = ()
    ) -> None:
        super().__init__(problem, hint=hint)
        self.failures = tuple(failures)

    def to_json(self) -> dict[str, Any]:
        """As every error, and below ``failures`` each service with its own."""
        failures = [{"service": name, **error.to_json()} for name, error in self.failures]
        return {**super().to_json(), **({"failures": failures} if failures else {})}


class SecretError(MloxError):
    """A secret store refused or failed."""


class SecretNotFoundError(SecretError, LookupError):
    """No secret, or no such version of it, in the store."""


class SecretConflictError(SecretError):
    """A secret has several newest versions, since two branches set it; ``versions`` are theirs, the latest last."""

    def __init__(self, problem: str, *, hint: str | None = None, versions: Sequence[str] = ()) -> None:
        super().__init__(problem, hint=hint)
        self.versions = tuple(versions)


class RecipientsChangedError(SecretError):
    """The list of who can read new secrets is not the one that the user agreed to; nothing was written."""


class IdentityError(SecretError):
    """The key that opens the store is missing, broken or readable by others."""


class ClientError(MloxError, ImportError):
    """The Python client of a service is not installed here."""


class Cancelled(MloxError):
    """The user interrupted; what was started stays, and ``up`` again converges."""

    exit_code = 130


class InternalError(MloxError):
    """A defect of mlox itself; the hint says where the report is kept."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """``Did you mean ...?`` for the nearest of ``known``, or None where nothing is near.

    The same letters in another order are nearest.

    Example:
        >>> nearest("statsu", ["stats", "status"]), nearest("stat", ["stats", "status"])
        ("Did you mean 'status'?", "Did you mean 'stats'?")
    """
    lowered = {one.lower(): one for one in known}
    swapped = [one for one in lowered if sorted(one) == sorted(name.lower())]
    matches = swapped or difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    return f"Did you mean {lowered[matches[0]]!r}?" if matches else None
