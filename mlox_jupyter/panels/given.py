"""What somebody has put into a form, as the words of a verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Given:
    """What differs from what would be decided anyway; everything else is left out of the words.

    Attributes:
        version: of the service or component. ``as_``: its name in the stack. ``on``: the server. ``to``: the folder.
        options: by name, as text. ``needs``: by need, the service that meets it, or ``embedded``.
    """

    version: str = ""
    as_: str = ""
    on: str = ""
    to: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """That of a message of a browser, which may leave out anything.

        Example:
            >>> Given.of({"options": {"workers": "2"}, "as": "runs"}).words("up", "mlflow")
            ('up', 'mlflow', '--as=runs', '--set=workers=2')
        """
        texts = {key: str(message.get(name) or "") for key, name in _NAMES.items()}
        options, needs = ({str(k): str(v) for k, v in (message.get(key) or {}).items()} for key in ("options", "needs"))
        return cls(**texts, options=options, needs=needs)

    def words(self, verb: str, name: str) -> tuple[str, ...]:
        """A call of a verb for a service or a component, as words."""
        named = {"as": self.as_, "on": self.on, "to": self.to}
        return (
            verb,
            f"{name}@{self.version}" if self.version else name,
            *(f"--{flag}={value}" for flag, value in named.items() if value),
            *(f"--set={option}={value}" for option, value in self.options.items()),
            *(f"--needs={need}={service}" for need, service in self.needs.items()),
        )


_NAMES = {"version": "version", "as_": "as", "on": "on", "to": "to"}
