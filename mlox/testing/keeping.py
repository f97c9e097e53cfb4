"""What the back end in memory keeps of services while they are changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mlox.protocols import Ending, Kept
from mlox.testing.held import Held
from mlox.units import Unit

Key = tuple[str, str]


@dataclass
class FakeKeeping:
    """Keeps units and data; shares what it works on with the back end."""

    held: dict[tuple[str, str, str], Held]
    data: dict[Key, str]
    effects: list[str]
    kept: dict[Key, tuple[Kept, str]] = field(default_factory=dict)

    def previous(self, unit: Unit) -> Unit | None:
        """The unit that this one takes the place of."""
        kept, _ = self.kept.get((unit.stack, unit.service), (Kept(), ""))
        return next((each for each in kept.units if each.name == unit.name), None)

    def units(self) -> tuple[Unit, ...]:
        """Every unit that may come back."""
        return tuple(unit for kept, _ in self.kept.values() for unit in kept.units)

    def keep(self, stack: str, service: str, *, data: bool) -> Kept:
        """Stop a service and keep it, unless it is kept already."""
        there, _ = self.kept.get((stack, service), (None, ""))
        if there is None or (data and not there.data):
            units = tuple(held.unit for held in self._of(stack, service))
            if not units:
                return Kept()
            units = there.units if there is not None else units
            self.kept[stack, service] = (Kept(units, data), self.data.get((stack, service), ""))
        self._halt(stack, service)
        return self.kept[stack, service][0]

    def take_back(self, stack: str, service: str) -> Kept:
        """Put what was kept in its place, stopped."""
        if (stack, service) not in self.kept:
            return Kept()
        kept, data = self.kept[stack, service]
        self.kept[stack, service] = (Kept(kept.units), "")
        self._halt(stack, service)
        self.effects.append(f"take back {service}")
        names = {unit.name: unit for unit in kept.units}
        for key in [key for key in self.held if key[:2] == (stack, service)]:
            if key[2] in names:
                self.held[key].unit = names[key[2]]
            else:
                del self.held[key]
        if kept.data:
            self.data[stack, service] = data
        return replace(kept, aside=f"the failed data of {service}" if kept.data else "")

    def settle(self, stack: str, service: str) -> None:
        """Forget what was kept."""
        self.kept.pop((stack, service), None)

    def _of(self, stack: str, service: str) -> list[Held]:
        return [held for key, held in sorted(self.held.items()) if key[:2] == (stack, service)]

    def _halt(self, stack: str, service: str) -> None:
        for held in self._of(stack, service):
            if held.state != "stopped":
                self.effects.append(f"stop {held.unit.key}")
                held.endings += [Ending("exit status 0", asked=True)] if held.state == "running" else []
                held.state, held.note = "stopped", ""
