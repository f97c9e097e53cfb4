"""What Kubernetes asks of a unit or a folder of data and Compose has no key for: names of its API, in snake case.

Sources: the API reference, https://kubernetes.io/docs/reference/kubernetes-api/ (SecurityContext, PodSecurityContext,
ResourceRequirements, PersistentVolumeClaimSpec), and k8s.io/apimachinery/pkg/api/resource/quantity.go for amounts.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from mlox.specs.model import Name, Spec

_QUANTITY = re.compile(r"\+?(\d{1,18}(?:\.\d{1,9})?|\.\d{1,9})(m|k|[MGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?")
_DECIMAL = {"m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def amount(quantity: str) -> Decimal:
    """What a quantity of Kubernetes counts: cores of ``cpu``, bytes of all else.

    Below a thousandth, Kubernetes rounds up (its ``n`` and ``u``); those are not taken.

    Raises:
        ValueError: it is none.

    Example:
        >>> amount("250m"), amount("1Gi"), amount("2e3")
        (Decimal('0.250'), Decimal('1073741824'), Decimal('2E+3'))
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError("not a quantity of Kubernetes: write 250m, 1, 512Mi, 10Gi")
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        return number * Decimal(1024 ** _BINARY[suffix])
    return number.scaleb(_DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:]))


def _quantity(value: object) -> str:
    text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if not isinstance(text, str) or amount(text) <= 0:
        raise ValueError("a quantity is more than nothing: write 250m, 1, 512Mi, 10Gi")
    return text


Quantity = Annotated[str, BeforeValidator(_quantity)]
"""An amount as Kubernetes writes it, more than nothing."""

Id = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A number of a user or group, as Kubernetes bounds it."""

AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
Resource = Literal["cpu", "memory", "ephemeral_storage"]


class ClaimSpec(Spec):
    """The PersistentVolumeClaim of a folder of data. ``storage`` is how much is asked for at first."""

    storage: Quantity
    access_modes: Annotated[tuple[AccessMode, ...], Field(min_length=1)] = ("ReadWriteOnce",)


class PodSpec(Spec):
    """How a unit runs in a pod. It never gains privileges and has no capability, whoever it runs as.

    Kubernetes takes users by number alone: ``run_as_user`` and ``run_as_group`` are those of the unit, ``fs_group``
    owns the volumes. ``requests`` is what it takes when it idles, which the scheduler sets aside; ``limits`` is where
    it is throttled (cpu) or killed (memory). ``pod`` names the unit in whose pod it is a further container, as those
    must be that share a folder which one node has.
    """

    run_as_user: Id
    run_as_group: Id
    fs_group: Id | None = None
    requests: dict[Resource, Quantity]
    limits: dict[Resource, Quantity] = Field(default_factory=dict)
    pod: Name | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if missing := {"cpu", "memory"} - self.requests.keys():
            raise ValueError(f"requests has cpu and memory; missing: {', '.join(sorted(missing))}")
        if "memory" not in self.limits:
            raise ValueError("limits has memory: without it, one pod can take that of all others on its node")
        for name, limit in self.limits.items():
            asked = self.requests.get(name)
            if asked is not None and amount(asked) > amount(limit):
                raise ValueError(f"requests.{name} ({asked}) is more than limits.{name} ({limit})")
        if self.pod is not None and self.fs_group is not None:
            raise ValueError("fs_group belongs to a pod: say it at the unit that pod names")
        return self
