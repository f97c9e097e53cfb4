"""Which container engine the docker command would talk to, and where others are usually found.

Sources: docker/cli, ``cli/command/cli.go`` (resolveContextName), ``cli/context/docker/load.go``,
``cli/context/store`` (folders by SHA-256 of the name), ``cli/flags/options.go`` (TLS), ``opts/hosts.go``;
docs.docker.com/engine/manage-resources/contexts. The sockets of others: docs.docker.com/engine/security/rootless,
podman-system-service(1), Colima's FAQ, docs.docker.com/desktop (``~/.docker/run``), docs.orbstack.dev/docker,
docs.rancherdesktop.io (``~/.rd``).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlox.errors import SpecError, UnknownNameError

DEFAULT = "default"
SOCKET = "unix:///var/run/docker.sock"
HTTP_PORT, TLS_PORT = 2375, 2376
ANSWER_S = 1.0
MEND = "Mend it, or say the engine with DOCKER_HOST."


@dataclass(frozen=True, slots=True)
class Certificates:
    """How an engine is spoken to over TLS: whom to trust, who we are, and whether the other side is verified at all."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine is.

    Attributes:
        url: ``unix:///path``, ``tcp://host:port`` or ``ssh://user@host``.
        source: who says so, for a reader.
        said: whether somebody chose it; else it is where an engine usually is.
    """

    url: str
    source: str
    tls: Certificates | None = None
    said: bool = True

    @property
    def socket(self) -> Path | None:
        """The socket's path, where it is one of this machine."""
        return Path(self.url.removeprefix("unix://")) if self.url.startswith("unix://") else None

    @property
    def here(self) -> bool:
        """Whether it is this machine, as far as an address tells: a socket, or loopback.

        Example:
            >>> Address("tcp://127.0.0.1:2375", "DOCKER_HOST").here, Address("ssh://ada@lab", "DOCKER_HOST").here
            (True, False)
        """
        return self.socket is not None or (self.url.startswith("tcp://") and _is_loopback(urlsplit(self.url).hostname))


def chosen(environment: Mapping[str, str], home: Path) -> Address:
    """The engine that the docker command would use: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, the current context, default.

    Raises:
        UnknownNameError: there is no such context; the hint names those that there are.
        SpecError: an address or a file is wrong.

    Example:
        >>> chosen({"DOCKER_HOST": "tcp://lab", "DOCKER_CONTEXT": "far"}, Path("/nonexistent")).url
        'tcp://lab:2375'
    """
    folder = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    if environment.get("DOCKER_HOST"):
        return _default(environment, folder)
    if environment.get("DOCKER_CONTEXT"):
        name, source = environment["DOCKER_CONTEXT"], "DOCKER_CONTEXT"
    else:
        name, source = _current(folder / "config.json"), f"currentContext of {folder / 'config.json'}"
    if name in ("", DEFAULT):
        return _default(environment, folder)
    return _context(folder, name, source)


def usual(environment: Mapping[str, str], home: Path) -> tuple[Address, ...]:
    """Where other engines of this machine listen, in the order in which they are tried; whether they run or not."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    rootless = (("rootless Docker", f"{runtime}/docker.sock"), ("Podman", f"{runtime}/podman/podman.sock"))
    places = (
        *(rootless if runtime else ()),
        ("Podman", "/run/podman/podman.sock"),
        ("Colima", f"{home}/.colima/default/docker.sock"),
        ("Docker Desktop", f"{home}/.docker/run/docker.sock"),
        ("OrbStack", f"{home}/.orbstack/run/docker.sock"),
        ("Rancher Desktop", f"{home}/.rd/docker.sock"),
    )
    return tuple(Address(f"unix://{path}", whose, said=False) for whose, path in places)


def knock(address: Address) -> None:
    """Connect to a socket of this machine and hang up; does nothing for any other address, where asking tells.

    Raises:
        OSError: there is none, nobody listens, or this user may not.
    """
    if address.socket is not None:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_S)
            probe.connect(str(address.socket))


def answers(address: Address) -> bool:
    """Whether somebody accepts connections there, as far as :func:`knock` tells."""
    try:
        knock(address)
    except OSError:
        return False
    return True


def find(
    environment: Mapping[str, str], home: Path, *, answering: Callable[[Address], bool] = answers
) -> tuple[Address, tuple[Address, ...]]:
    """The engine to use, and all that were tried. What somebody chose is used, whether it answers or not.

    Raises:
        UnknownNameError, SpecError: as :func:`chosen`.

    Example:
        >>> here, tried = find({}, Path("/home/ada"), answering=lambda address: "colima" in address.url)
        >>> here.source
        'Colima'
    """
    first = chosen(environment, home)
    if first.said or answering(first):
        return first, (first,)
    others = usual(environment, home)
    found = next((address for address in others if answering(address)), first)
    return found, (first, *others)


def _default(environment: Mapping[str, str], folder: Path) -> Address:
    said = environment.get("DOCKER_HOST", "").strip()
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    encrypted = verify or bool(environment.get("DOCKER_TLS"))
    if said:
        url, source = _normal(said, "DOCKER_HOST"), "DOCKER_HOST"
    elif encrypted:
        url, source = f"tcp://localhost:{TLS_PORT}", "DOCKER_TLS_VERIFY" if verify else "DOCKER_TLS"
    else:
        named = environment.get("DOCKER_CONTEXT", "") == DEFAULT
        return Address(SOCKET, "DOCKER_CONTEXT" if named else "the default", said=named)
    if not encrypted or not url.startswith("tcp://"):
        return Address(url, source)
    place = Path(environment.get("DOCKER_CERT_PATH") or folder)
    ca, cert, key = (place / name for name in ("ca.pem", "cert.pem", "key.pem"))
    if not ca.exists():
        raise SpecError(f"{ca} does not exist, and TLS is asked for", hint="Put it there, or set DOCKER_CERT_PATH.")
    pair = cert.exists() and key.exists()
    return Address(url, source, Certificates(ca, cert if pair else None, key if pair else None, verify))


def _context(folder: Path, name: str, source: str) -> Address:
    """What a context says; its files lie below the SHA-256 of its name."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    path = folder / "contexts" / "meta" / identity / "meta.json"
    if not path.exists():
        raise UnknownNameError.among("docker context", name, {DEFAULT, *_known(folder)}, where=f"{source}: ")
    endpoints = _read(path).get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    if not isinstance(docker, dict):
        raise SpecError(
            f"the docker context {name!r} has no docker endpoint", hint="Choose another: docker context ls."
        )
    said = str(docker.get("Host") or "")
    origin = f"the docker context {name!r}"
    url = _normal(said, origin) if said else SOCKET
    if not url.startswith("tcp://"):
        return Address(url, origin)
    tls = folder / "contexts" / "tls" / identity / "docker"
    ca, cert, key = (found if (found := tls / part).exists() else None for part in ("ca.pem", "cert.pem", "key.pem"))
    unverified = docker.get("SkipTLSVerify") is True
    if not (ca or cert or key or unverified):
        return Address(url, origin)
    pair = cert is not None and key is not None
    return Address(url, origin, Certificates(ca, cert if pair else None, key if pair else None, not unverified))


def _known(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "contexts" / "meta").glob("*/meta.json")):
        name = _read(path).get("Name")
        if isinstance(name, str) and name:
            yield name


def _current(path: Path) -> str:
    return str(_read(path).get("currentContext") or "") if path.exists() else ""


def _read(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SpecError(f"{path} cannot be read: {error}", hint=MEND) from error
    if not isinstance(value, dict):
        raise SpecError(f"{path} does not hold an object", hint=MEND)
    return value


def _normal(said: str, source: str) -> str:
    """An address in its whole form, as ``opts/hosts.go`` makes it.

    Example:
        >>> _normal("lab:4243", "DOCKER_HOST"), _normal("/run/x.sock", "DOCKER_HOST"), _normal("unix://", "DOCKER_HOST")
        ('tcp://lab:4243', 'unix:///run/x.sock', 'unix:///var/run/docker.sock')
    """
    scheme, parted, rest = said.strip().partition("://")
    if not parted:
        scheme, rest = ("unix" if scheme.startswith(("/", "./")) else "tcp"), scheme
    if scheme == "unix" and "://" not in rest:
        return f"unix://{rest}" if rest else SOCKET
    if scheme == "ssh" and urlsplit(said).hostname:
        return said.strip()
    if scheme == "tcp":
        try:
            parts = urlsplit(f"tcp://{rest}")
            host, port = parts.hostname or "localhost", parts.port or HTTP_PORT
        except ValueError:
            host, port = "", 0
        if host and not parts.username:
            return f"tcp://{f'[{host}]' if ':' in host else host}:{port}{parts.path}"
    raise SpecError(
        f"{source}: {said!r} is no address of an engine",
        hint="Write unix:///path/to/docker.sock, tcp://host:port or ssh://user@host.",
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
