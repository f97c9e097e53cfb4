"""How containers reach what listens on this machine's loopback: by forwarders, units that follow from the wiring. Pure.

Where an engine's containers reach the machine at an address of its own (``Facts.gateway``), a native unit listens
there, on the provider's port, and passes connections on. One serves all consumers of that port on that engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mlox.errors import SpecError
from mlox.resolve.service import GATEWAY, Decided
from mlox.specs import CONFIG, EMBEDDED
from mlox.units import File, PortBinding, Probe, Software, Unit
from mlox.variables import literal

CATALOG = "forwarder"
LONGEST = 63
"""How long the name of a service may be on a back end."""


def forwarder_name(provider: str, server: str) -> str:
    """The service of a forwarder: no service of a user can have that name, since theirs have single hyphens.

    Example:
        >>> forwarder_name("redis", "docker")
        'redis--for-docker'
    """
    name = f"{provider}--for-{server}"
    if len(name) <= LONGEST:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST - len(mark) - 1].rstrip('-')}-{mark}"


def forwarders(consumer: Decided) -> tuple[Unit, ...]:
    """The units by which a service's containers reach the providers of its needs; none where they need none.

    Raises:
        SpecError: this machine has no server that could run them.
    """
    made = (_unit(consumer, provider, port) for provider, port in _edges(consumer))
    return tuple({unit.key: unit for unit in made}.values())


def _edges(consumer: Decided) -> Iterator[tuple[Decided, str]]:
    """The providers, with the names of their ports, that it reaches at its engine's gateway."""
    for need, name in consumer.spec.needs.items() if consumer.facts.gateway else ():
        if name != EMBEDDED and consumer.sees(consumer.ready[name]) == GATEWAY:
            provider = consumer.ready[name]
            offer = provider.catalog.provides[consumer.catalog.needs[need].capability]
            url = offer.grant.url if offer.grant is not None else offer.url
            if url is not None:
                yield provider, consumer.asks(url)


def _unit(consumer: Decided, provider: Decided, port: str) -> Unit:
    world, gateway, number = consumer.world, consumer.facts.gateway, provider.ports[port]
    engines = [s for s, facts in world.facts.items() if facts.gateway == gateway and world.backends.get(s) != "native"]
    engine, server = min(engines), _native(provider)
    name = forwarder_name(provider.name, engine)
    config = f"{world.facts[server].home}/{consumer.stack_id}/services/{name}/{CONFIG}"
    intent = {
        "catalog": CATALOG,
        "server": server,
        "backend": "native",
        "from": f"{gateway}:{number}",
        "to": f"{provider.name} at port {number}",
    }
    return Unit(
        stack=consumer.stack_id,
        service=name,
        name=port.replace("_", "-"),
        catalog=CATALOG,
        version="1",
        server=server,
        backend="native",
        command=(f"{config}/forwarder.py", gateway, str(number), str(number)),
        software=Software(interpreter=True),
        files=(File(f"{config}/forwarder.py", literal(_script())),),
        ports=(PortBinding(port, number, address=gateway),),
        directories=((CONFIG, config),),
        probe=Probe("relay", port, start_timeout_s=20),
        after=(provider.name,),
        stop_grace_s=2,
        forwards=(provider.name, engine),
        intent=tuple(sorted(intent.items())),
    )


def _native(provider: Decided) -> str:
    """A server of this machine that runs processes: the provider's, where it is one."""
    backends, here = provider.world.backends, sorted(provider.world.here & provider.world.facts.keys())
    found = next((s for s in (provider.spec.server, *here) if backends.get(s) == "native"), None)
    if found is None:
        raise SpecError(
            f"no server of this machine can run what containers need to reach {provider.name}",
            hint="Add one in mlox.yaml: servers: {here: {local: true}}.",
        )
    return found


@cache
def _script() -> str:
    return Path(__file__).with_name("forwarder.py").read_text("utf-8")
