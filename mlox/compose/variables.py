"""What the variables of a compose file stand for, and which of the values are secret by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlox.secret import is_secret


class Variables(Mapping[str, str]):
    """The environment of a file: what is asked for is remembered.

    ``missing`` are names that were asked for and are not set; Compose takes them for empty. ``secrets`` are the values
    that secret variables gave since it was emptied last.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self.missing: dict[str, None] = {}
        self.secrets: set[str] = set()

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def blank(self, name: str) -> str:
        """What stands for a variable that is not set: nothing, as in Compose."""
        self.missing[name] = None
        return ""

    def told(self, name: str, value: str) -> None:
        """What stands for a variable in the text that is read now."""
        if is_secret(name, value):
            self.secrets.add(value)
