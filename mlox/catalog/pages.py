"""Pages about services, written from their catalog files: `make docs` keeps those in `docs/services` current."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlox.catalog import Catalog
from mlox.specs import CatalogService, UnitSpec
from mlox.specs.kubernetes import Resource

INDEX = "index.md"
MADE = "<!-- Written by `make docs` from the catalog file; change that. -->"


def page(service: CatalogService) -> str:
    """The page about a service, in Markdown.

    Example:
        >>> print(page(Catalog().get("redis").service).splitlines()[2])
        # redis
    """
    name = service.name
    title = f"[{name}]({service.homepage})" if service.homepage else name
    parts = [
        MADE,
        "",
        f"# {name}",
        "",
        f"{title}: {service.summary}.",
        "",
        "```sh",
        *_commands(service),
        "```",
        "",
        *_table(("", ""), _facts(service)),
        *_section("Needs", ("need", "capability", "without it", "for"), _needs(service)),
        *_section("Offers", ("capability", "address", "further values", "an account of its own"), _offers(service)),
        *_section("Ports", ("port", "number", "for"), _ports(service)),
        *_section("Options", ("option", "type", "default", "what it is"), _options(service)),
        *_section("Secrets", ("secret", "from", "`secrets rotate`", "what it is"), _secrets(service)),
        *_section("Data", ("folder", "in a container", "what is in it"), _data(service)),
        *_section("For clients", ("variable", "value"), _client(service)),
        *_section("Units", ("unit", "as a process", "as a container"), _units(service)),
        *_pods(service),
    ]
    return "\n".join(parts).rstrip() + "\n"


def index(services: Iterable[CatalogService]) -> str:
    """The page with all services in one table."""
    rows = [
        (
            f"[{each.name}]({each.name}.md)",
            each.version,
            ", ".join(each.backends),
            ", ".join(need.capability for need in each.needs.values()),
            ", ".join(each.provides),
            each.summary,
        )
        for each in services
    ]
    heading = ("service", "version", "runs on", "needs or can use", "offers", "what it is")
    return "\n".join(["<!-- Written by `make docs`. -->", "", "# Services", "", *_table(heading, rows)]) + "\n"


def pages(catalog: Catalog) -> dict[str, str]:
    """Every page by the name of its file."""
    services = catalog.readable()
    return {INDEX: index(services), **{f"{each.name}.md": page(each) for each in services}}


def write(folder: Path) -> None:
    """Write the pages about mlox's own services into a folder, and remove those of services that there are no more."""
    wanted = pages(Catalog())
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def _commands(service: CatalogService) -> list[str]:
    given = [f" --set {key}=..." for key, option in service.options.items() if option.default is None]
    on = "" if "native" in service.backends else " --on docker"
    return [f"mlox up {service.name}{on}{''.join(given)}"]


def _facts(service: CatalogService) -> list[tuple[str, str]]:
    supported = f", supports {_code(service.supports)}" if service.supports else ""
    takes = service.estimate
    facts = [
        ("version", f"{service.version}{supported}"),
        ("runs on", ", ".join(service.backends)),
        ("takes", f"{_size(takes.memory_bytes)} of memory, {_size(takes.disk_bytes)} of disk, when it idles"),
        ("backup", _backup(service)),
    ]
    return [(f"**{key}**", value) for key, value in facts]


def _backup(service: CatalogService) -> str:
    if not service.data and not any(unit.stateful for unit in service.units.values()):
        return "it keeps no data"
    how = "its own dump, while it runs" if service.backup else "the files of its data; it stops meanwhile"
    return f"{how}; a restore is compared by {'what it says that it holds' if service.verify else 'its files'}"


def _needs(service: CatalogService) -> list[tuple[str, ...]]:
    return [
        (_code(key), need.capability, "does by itself" if need.embedded is not None else "does not start", need.help)
        for key, need in service.needs.items()
    ]


def _offers(service: CatalogService) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, offer in service.provides.items():
        address = f"{offer.url.scheme}://, port {_code(offer.url.port)}" if offer.url else "a folder, for processes"
        rows.append((key, address, ", ".join(map(_code, offer.values)), "yes" if offer.grant else "no"))
    return rows


def _ports(service: CatalogService) -> list[tuple[str, ...]]:
    return [(_code(key), f"{port.port}/{port.protocol}", port.help) for key, port in service.ports.items()]


def _options(service: CatalogService) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, option in service.options.items():
        kind = ", ".join(map(str, option.choices)) or option.type
        limits = [f"from {option.minimum:g}"] if option.minimum is not None else []
        limits += [f"to {option.maximum:g}"] if option.maximum is not None else []
        default = (
            "must be given" if option.default is None else _code(str(option.default)) if option.default != "" else ""
        )
        rows.append((_code(key), " ".join([kind, *limits]), default, option.help))
    return rows


def _secrets(service: CatalogService) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, secret in service.secrets.items():
        source = "mlox" if secret.generate else "you, if you want" if secret.optional else "you"
        rows.append((_code(f"{service.name}.{key}"), source, "yes" if secret.rotate else "no", secret.help))
    return rows


def _data(service: CatalogService) -> list[tuple[str, ...]]:
    return [(_code(key), _code(data.path or ""), data.help) for key, data in service.data.items()]


def _client(service: CatalogService) -> list[tuple[str, ...]]:
    client = service.client
    rows: list[tuple[str, ...]] = [
        (_code(key), _code(text)) for key, text in {**client.environment, **client.preferences}.items()
    ]
    if client.object:
        rows.append(("client in a notebook", _code(client.object)))
    if client.package:
        rows.append(("its package", _code(client.package)))
    return rows


def _units(service: CatalogService) -> list[tuple[str, ...]]:
    return [(_code(name), _process(unit), _container(unit)) for name, unit in service.units.items()]


def _process(unit: UnitSpec) -> str:
    if unit.native is None:
        return "not there"
    if unit.native.python is not None:
        return f"packages {', '.join(map(_code, unit.native.python.packages))}"
    program = unit.native.binary
    names = [] if program is None else [program, *unit.native.tools]
    return " and ".join(f"{_code(each.name)} from the PATH" for each in names)


def _container(unit: UnitSpec) -> str:
    if unit.image is None:
        return f"built from {_code(unit.build.context)}" if unit.build else "not there"
    return f"image {_code(unit.image)}"


def _pods(service: CatalogService) -> list[str]:
    pods = {name: unit.kubernetes for name, unit in service.units.items() if unit.kubernetes is not None}
    rows = [
        (
            _code(name),
            f"as {pod.run_as_user}:{pod.run_as_group}"
            + (f", group {pod.fs_group} for folders" if pod.fs_group is not None else "")
            + (f", in the pod of {_code(pod.pod)}" if pod.pod else ""),
            _amounts(pod.requests),
            _amounts(pod.limits),
        )
        for name, pod in pods.items()
    ]
    claims = {name: data.kubernetes for name, data in service.data.items() if data.kubernetes is not None}
    rows += [
        (_code(f"data.{name}"), ", ".join(claim.access_modes), f"storage {_code(claim.storage)}", "")
        for name, claim in claims.items()
    ]
    table = _section("For Kubernetes", ("unit or folder", "how", "asks for", "at most"), rows)
    return [*table, "", "What a pod of it will be. mlox does not place services on Kubernetes yet."] if rows else []


def _amounts(amounts: Mapping[Resource, str]) -> str:
    return ", ".join(f"{name.replace('_', '-')} {_code(amount)}" for name, amount in amounts.items())


def _section(title: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", f"## {title}", "", *_table(heading, rows)] if rows else []


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    shown = [heading, ["---"] * len(heading), *rows]
    return [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in shown]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{' '.join(text.split())}`" if text else ""


def _size(size_bytes: int) -> str:
    units: Mapping[str, int] = {"GB": 10**9, "MB": 10**6}
    return next(
        (f"{size_bytes / many:g} {unit}" for unit, many in units.items() if size_bytes >= many), "next to nothing"
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))
