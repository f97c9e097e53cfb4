"""What the service is told by its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass

PREFIX = "/v1"
"""What the paths of the API begin with."""


@dataclass(frozen=True)
class Settings:
    """``model`` names what makes the model, ``shop.churn:load``; without it the service is up and never ready."""

    model: str = ""
    max_instances: int = 1000
    host: str = "127.0.0.1"
    port: int = 8000

    @classmethod
    def from_environment(cls) -> Settings:
        """The variables ``API_MODEL``, ``API_MAX_INSTANCES``, ``API_HOST`` and ``API_PORT``.

        Raises:
            ValueError: one of them does not hold what it should.
        """
        return cls(
            model=os.environ.get("API_MODEL", cls.model),
            max_instances=_whole_number("API_MAX_INSTANCES", cls.max_instances),
            host=os.environ.get("API_HOST", cls.host),
            port=_whole_number("API_PORT", cls.port),
        )


def _whole_number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{name} is {text!r}, not a whole number above 0")
    return int(text)
