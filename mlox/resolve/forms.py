"""What a unit is on its back end: a process with its software, or a container of an image. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlox.errors import SpecError
from mlox.resolve.inputs import build_context
from mlox.resolve.options import render_option
from mlox.resolve.service import GATEWAY, Decided
from mlox.resolve.texts import Texts
from mlox.resolve.world import lock_key
from mlox.specs import EMBEDDED, UnitSpec
from mlox.specs.compose import BuildSpec, ComposeKeys, VolumeSpec
from mlox.units import Container, Software, Volume
from mlox.variables import finish, substitute

TOLD_ELSEWHERE = frozenset(
    {
        *("image", "build", "command", "entrypoint", "environment", "working_dir", "user", "depends_on", "restart"),
        *("stop_signal", "stop_grace_period_s", "extra_hosts"),
    }
)
"""Keys of Compose that a unit or its container has a field of its own for."""


@dataclass(frozen=True, slots=True)
class Form:
    """What differs between a process and a container."""

    command: tuple[str, ...]
    software: Software
    container: Container | None = None


def form(service: Decided, texts: Texts, unit_name: str, spec: UnitSpec) -> Form:
    """The form of a unit on the back end of its service.

    Raises:
        SpecError: it has none there.
    """
    return _container(service, texts, unit_name, spec) if service.contained else _process(service, texts, spec)


def environment(service: Decided, texts: Texts, spec: UnitSpec) -> dict[str, str]:
    """The variables of a unit, rendered; those of needs are there where somebody meets them."""
    chosen = dict(spec.environment)
    if spec.native is not None and not service.contained:
        chosen |= spec.native.environment
    for need in _met(service):
        chosen |= service.catalog.needs[need].environment
    return {key: texts.render(text) for key, text in chosen.items()}


def _process(service: Decided, texts: Texts, spec: UnitSpec) -> Form:
    native = spec.native
    if native is None:
        raise SpecError(f"{service.name} has a unit without a native form", hint="Put it on another server.")
    command = tuple(texts.argument(part) for part in native.command or spec.command or ())
    if native.python is None:
        binary = native.binary
        return Form(command, Software(binary=binary.name, folders=tuple(binary.folders)) if binary else Software())
    packages = [*native.python.packages]
    for need in _met(service):
        packages += service.catalog.needs[need].packages
    chosen = render_option(service.options[native.python.option]).split() if native.python.option else ()
    wanted = tuple(sorted({*(substitute(package, service.value) for package in packages), *chosen}))
    running = next((unit.software for unit in service.seen if unit.software.packages == wanted), None)
    pins = service.world.pins.get(lock_key(wanted)) or (running.pins if running else ())
    return Form(command, Software(packages=wanted, pins=pins))


def _container(service: Decided, texts: Texts, unit_name: str, spec: UnitSpec) -> Form:
    hosts = dict(spec.extra_hosts)
    if any(service.sees(service.ready[service.spec.needs[need]]) == GATEWAY for need in _met(service)):
        hosts[GATEWAY] = "host-gateway"
    container = Container(
        entrypoint=None if spec.entrypoint is None else tuple(map(texts.argument, spec.entrypoint)),
        user=spec.user or "",
        working_dir=spec.working_dir or "",
        volumes=tuple(Volume(n, service.directory(n), data.volume or "") for n, data in service.catalog.data.items()),
        aliases=(service.alias(unit_name), *spec.aliases),
        hosts=tuple(sorted(hosts.items())),
        settings=_settings(service, spec),
    )
    return Form(tuple(map(texts.argument, spec.command or ())), _image(service, texts, unit_name, spec), container)


def _image(service: Decided, texts: Texts, unit_name: str, spec: UnitSpec) -> Software:
    """The image that is named, or that is built; at the digest of the lock file, else of what runs."""
    name = finish(texts.argument(spec.image)) if spec.image else f"mlox/{service.stack_id}/{service.name}-{unit_name}"
    wanted = Software(image=name, build=_build(service, spec.build) if spec.build else ())
    same = (u.software for u in service.seen if (u.software.image, u.software.build) == (wanted.image, wanted.build))
    running = next(same, None)
    pins = () if wanted.build else service.world.pins.get(name, ())
    return Software(image=name, build=wanted.build, pins=pins or (running.pins if running else ()))


def _build(service: Decided, build: BuildSpec) -> tuple[tuple[str, str], ...]:
    """How it is built, with a digest of what is in its folder: another content is another image."""
    context = build_context(service.world.root, build)
    values = {
        "context": context[0],
        "dockerfile": context[1],
        "digest": service.facts.contexts.get(context, ""),
        "target": build.target or "",
        **{f"args.{key}": str(value) for key, value in build.args.items()},
    }
    return tuple(sorted((key, value) for key, value in values.items() if value))


def _settings(service: Decided, spec: UnitSpec) -> Mapping[str, Any]:
    """Compose's other keys, as far as they say something; what is mounted of this machine by its absolute path."""
    keys = set(ComposeKeys.model_fields) - TOLD_ELSEWHERE
    settings = spec.model_dump(mode="json", include=keys, exclude_defaults=True)
    for mount in settings.get("volumes", ()):
        if mount["type"] == "bind":
            mount["source"] = service.there(mount["source"])
    if paths := [_shown(service, name) for name, option in service.catalog.options.items() if option.target]:
        settings["volumes"] = [*settings.get("volumes", ()), *paths]
    return dict(sorted(settings.items()))


def _shown(service: Decided, option: str) -> Mapping[str, Any]:
    """The mount by which a container sees what an option names."""
    source = service.there(str(service.options[option]))
    mount = VolumeSpec(type="bind", source=source, target=service.path(option), read_only=True)
    return mount.model_dump(mode="json", exclude_defaults=True)


def _met(service: Decided) -> list[str]:
    """The needs that another service meets."""
    return [need for need, provider in service.spec.needs.items() if provider != EMBEDDED]
