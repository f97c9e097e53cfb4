"""Which service meets which need: decided once, from what the stack has, and then written into ``mlox.yaml``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlox.errors import UnknownNameError, WiringError
from mlox.specs import EMBEDDED, CatalogService, StackSpec


def decide_needs(
    name: str,
    service: CatalogService,
    stack: StackSpec,
    provides: Mapping[str, Iterable[str]],
    asked: Mapping[str, str],
) -> dict[str, str]:
    """The provider of every need of a service that joins the stack.

    Args:
        name: the name that the service gets in the stack.
        service: its catalog entry.
        stack: the stack before it joins.
        provides: for each service of the stack the capabilities that it offers.
        asked: what the user said, need by need: a service's name, or ``embedded``.

    Raises:
        UnknownNameError: ``asked`` names a need or a service that there is not.
        WiringError: nobody provides a need, or two do, or the named one does not.
    """
    for need, provider in asked.items():
        if need not in service.needs:
            raise UnknownNameError.among("need", need, service.needs, where=f"{service.name}: ")
        if provider != EMBEDDED and provider not in stack.services:
            raise UnknownNameError.among("service", provider, [*stack.services, EMBEDDED], where=f"{name}.{need}: ")
    decided = {need: asked.get(need) or _provider(name, service, need, provides) for need in service.needs}
    check_needs(name, service, decided, provides)
    return decided


def check_needs(
    name: str, service: CatalogService, needs: Mapping[str, str], provides: Mapping[str, Iterable[str]]
) -> None:
    """Raise a :class:`WiringError` where the decided wiring cannot hold."""
    for need, spec in service.needs.items():
        provider = needs.get(need)
        if provider is None:
            raise WiringError(
                f"{name}: the need {need!r} is not decided in mlox.yaml",
                hint=f"Write needs: {{{need}: {EMBEDDED if spec.embedded is not None else 'NAME'}}}.",
            )
        if provider == EMBEDDED and spec.embedded is None:
            raise WiringError(
                f"{name}: {service.name} cannot meet its need {need!r} by itself",
                hint=f"Add a service that provides {spec.capability}.",
            )
        if provider != EMBEDDED and spec.capability not in provides.get(provider, ()):
            raise WiringError(
                f"{name}.{need}: {provider!r} does not provide {spec.capability}",
                hint=f"Name a service that provides {spec.capability}.",
            )
    for need in needs:
        if need not in service.needs:
            raise UnknownNameError.among("need", need, service.needs, where=f"mlox.yaml: services.{name}.needs: ")


def could_use(stack: StackSpec, services: Mapping[str, CatalogService], provider: str) -> tuple[tuple[str, str], ...]:
    """Who meets a need by itself that ``provider`` could meet: pairs of a service and its need.

    Args:
        services: catalog entries by the name that they have in the stack.
    """
    offered = services[provider].provides
    return tuple(
        (name, need)
        for name, spec in stack.services.items()
        for need, chosen in spec.needs.items()
        if chosen == EMBEDDED and name != provider and services[name].needs[need].capability in offered
    )


def order(services: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Service names so that providers come before their consumers; otherwise in the given order.

    Args:
        services: for each service its decided needs.

    Raises:
        WiringError: they need each other in a circle.
    """
    done: list[str] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if name in path:
            raise WiringError(
                f"services need each other: {' → '.join([*path, name])}",
                hint="Set one of these needs to another service.",
            )
        if name in done:
            return
        path.append(name)
        for provider in services[name].values():
            if provider != EMBEDDED and provider in services:
                visit(provider)
        path.pop()
        done.append(name)

    for name in services:
        visit(name)
    return tuple(done)


def with_providers(names: Iterable[str], services: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """``names`` and all that they need, directly or not."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found and name in services:
            found.append(name)
            waiting += [provider for provider in services[name].values() if provider != EMBEDDED]
    return tuple(found)


def _provider(name: str, service: CatalogService, need: str, provides: Mapping[str, Iterable[str]]) -> str:
    spec = service.needs[need]
    candidates = sorted(
        other for other, capabilities in provides.items() if spec.capability in capabilities and other != name
    )
    if len(candidates) > 1:
        raise WiringError(
            f"{name}.{need}: {' and '.join(candidates)} both provide {spec.capability}",
            hint=f"Say which: --needs {need}={candidates[0]}, or in mlox.yaml: needs: {{{need}: {candidates[0]}}}.",
        )
    if candidates:
        return candidates[0]
    if spec.embedded is None:
        raise WiringError(
            f"{name}.{need}: nothing in the stack provides {spec.capability}",
            hint=f"Add one first: mlox catalog {spec.capability}.",
        )
    return EMBEDDED
