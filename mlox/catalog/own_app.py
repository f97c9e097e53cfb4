"""The catalog file of somebody's own app, from its Dockerfile: what that says of ports, folders and health."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mlox.catalog.skeleton import check_name
from mlox.errors import SpecError
from mlox.specs.model import NAME

_VARIABLES = {"postgresql": "DATABASE_URL"}
"""How the address of a capability is usually called, where that is not CAPABILITY_URL."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the last stage of a Dockerfile says.

    Attributes:
        ports: number and protocol. ``volumes``: absolute paths. ``checked``: whether it has a health check.
    """

    ports: tuple[tuple[int, str], ...] = ()
    volumes: tuple[str, ...] = ()
    checked: bool = False


def read_dockerfile(text: str) -> Recipe:
    r"""What a Dockerfile says of the container; what stands there as a variable is left out.

    Example:
        >>> read_dockerfile("FROM a AS b\nEXPOSE 1\nFROM b\nEXPOSE 80 53/udp\nVOLUME [\"/data\"]\nHEALTHCHECK CMD true")
        Recipe(ports=((80, 'tcp'), (53, 'udp')), volumes=('/data',), checked=True)
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    whole = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    ports: dict[tuple[int, str], None] = {}
    volumes: dict[str, None] = {}
    checked = False
    for line in whole.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            ports, volumes, checked = {}, {}, False
        elif word.upper() == "EXPOSE":
            found = (re.fullmatch(r"(\d{1,5})(?:/(tcp|udp))?", each) for each in rest.split())
            ports |= {(int(match[1]), match[2] or "tcp"): None for match in found if match}
        elif word.upper() == "VOLUME":
            volumes |= {path.rstrip("/"): None for path in _words(rest) if re.fullmatch(r"/[\w./-]*\w/?", path)}
        elif word.upper() == "HEALTHCHECK":
            checked = rest.strip().upper() != "NONE"
    return Recipe(tuple(ports), tuple(volumes), checked)


def own_app(name: str, dockerfile: str, text: str, needs: Sequence[str] = ()) -> str:
    """The text of a catalog file that builds its image from a Dockerfile.

    Args:
        dockerfile: its path, as seen from the workspace; its folder is what the image is built from.
        needs: capabilities of the stack that it uses; each address is in its environment.

    Raises:
        SpecError: a service cannot be called that, or a need is no capability.
    """
    check_name(name)
    for need in needs:
        if not re.fullmatch(NAME, need):
            raise SpecError(f"{need!r} is no capability", hint="For example: --need postgresql.")
    recipe = read_dockerfile(text)
    folder, _, file = dockerfile.rpartition("/")
    ports = {_port(at): port for at, port in enumerate(recipe.ports)}
    build = {"context": folder or ".", **({} if file == "Dockerfile" else {"dockerfile": file})}
    parts = [
        f"# Your own app, built from {dockerfile}: mlox up {name} --on docker",
        "# Where its folder changes, but for what .dockerignore names, `plan` says so and `up` builds it anew.",
        f"name: {name}",
        'version: "1"',
        f"summary: {_quoted(f'our own app, built from {dockerfile}')}",
        *_ports(ports),
        *_data(recipe),
        *_needs(needs),
        "",
        "units:",
        "  app:",
        *(["    stateful: true"] if recipe.volumes else []),
        f"    build: {_flow(build)}",
        *_health(recipe, ports),
        *_client(name, ports),
    ]
    return "\n".join(parts) + "\n"


def _ports(ports: dict[str, tuple[int, str]]) -> list[str]:
    if not ports:
        return ["", "# Where it listens in its container, for example:  http: {port: 8000, scheme: http}", "ports: {}"]
    shown = []
    for key, (number, protocol) in ports.items():
        kind = "scheme: http" if key == "http" else f"protocol: {protocol}"
        shown.append(f"  {key}: {{port: {number}, {kind}}}")
    return [
        "",
        "# Where it listens in its container; on this machine another number is taken where it is in use.",
        "ports:",
        *shown,
    ]


def _data(recipe: Recipe) -> list[str]:
    if not recipe.volumes:
        return []
    keys = ("data", *(f"data_{at}" for at in range(2, len(recipe.volumes) + 1)))
    rows = [f"  {key}: {{path: {_quoted(path)}}}" for key, path in zip(keys, recipe.volumes, strict=True)]
    return ["", "# Folders that stay until `down --purge`.", "data:", *rows]


def _needs(needs: Sequence[str]) -> list[str]:
    if not needs:
        return []
    rows = []
    for need in dict.fromkeys(needs):
        key = need.replace("-", "_")
        variable = _VARIABLES.get(need, f"{key.upper()}_URL")
        rows += [f"  {key}:", f"    capability: {need}", f"    environment: {{{variable}: '${{need.{key}.url}}'}}"]
    return [
        "",
        "# What it uses of the stack; the variables are in its environment, with an account of its own.",
        "needs:",
        *rows,
    ]


def _health(recipe: Recipe, ports: dict[str, tuple[int, str]]) -> list[str]:
    tcp = next((key for key, (_, protocol) in ports.items() if protocol == "tcp"), None)
    if recipe.checked or tcp is None:
        return [
            "    # When it is healthy: as its HEALTHCHECK says, else as long as it runs.",
            "    probe: {container: true}",
        ]
    return [
        f"    # When it is healthy. Better, where it has such a page:  http: {{port: {tcp}, path: /health}}",
        f"    probe: {{tcp: {{port: {tcp}}}}}",
    ]


def _client(name: str, ports: dict[str, tuple[int, str]]) -> list[str]:
    variable = name.upper().replace("-", "_")
    return ["", "client:", f"  environment: {{{variable}_URL: '${{url.http}}'}}"] if "http" in ports else []


def _port(at: int) -> str:
    return "http" if at == 0 else f"port_{at + 1}"


def _flow(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {_quoted(value)}" for key, value in values.items()) + "}"


def _quoted(text: str) -> str:
    """As YAML's quoted text, in which nothing is a variable."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


def _words(rest: str) -> list[str]:
    """The words of an instruction, which may be a JSON list."""
    if rest.lstrip().startswith("["):
        try:
            found = json.loads(rest)
        except ValueError:
            return []
        return [str(each) for each in found]
    return rest.split()
