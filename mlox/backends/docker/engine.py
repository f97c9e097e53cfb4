"""How the engine is opened and asked: docker-py on the address found, its errors in our words."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mlox.backends.docker import tunnels
from mlox.backends.docker.contexts import Address, find, knock
from mlox.errors import DISTRIBUTION, CommandError, MloxError, RequirementError

if TYPE_CHECKING:
    from docker import APIClient, DockerClient
    from docker.errors import APIError
    from docker.tls import TLSConfig

OLDEST_API = "1.41"
"""Docker 20.10 and Podman 4 speak it: the platform of a container, ``one-shot`` statistics."""

OPEN_S = 10
CALL_S = 120
CONNECTIONS = 32

FULL = ("no space left on device", "disk quota exceeded")


class Engine:
    """An engine, opened when it is first asked. Making one touches nothing.

    Args:
        address: where it is; None: as the docker command finds it, each time that it is opened.
        environment: the variables that say where; those of this process, unless tests have others.

    Example:
        >>> engine = Engine(Address("unix:///nonexistent/docker.sock", "DOCKER_HOST"))
        >>> engine.client
        Traceback (most recent call last):
        mlox.errors.RequirementError: no container engine answers at unix:///nonexistent/docker.sock (DOCKER_HOST)
    """

    def __init__(self, address: Address | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._given = address
        self._environment = environment
        self._lock = threading.Lock()
        self._found: Address | None = None
        self._client: DockerClient | None = None

    @property
    def address(self) -> Address:
        """Where the engine is; looks for it where that was not said.

        Raises:
            UnknownNameError, SpecError: what is said about it is wrong.
        """
        with self._lock:
            return self._look()[0]

    @property
    def client(self) -> DockerClient:
        """docker-py's client, the same one for all threads.

        Raises:
            RequirementError: no engine answers, this user may not use it, or it is too old.
        """
        with self._lock:
            if self._client is None:
                address, tried = self._look()
                try:
                    knock(address)
                    self._client = _shared(address)
                except MloxError:
                    self._found = None
                    raise
                except OSError as error:  # all of requests' errors are
                    self._found = None
                    raise unreachable(error, address, tried) from error
            return self._client

    @property
    def api(self) -> APIClient:
        """The same client, call by call."""
        return self.client.api

    def close(self) -> None:
        """Let go of all connections; the next call opens the engine again."""
        with self._lock:
            client, self._client, self._found = self._client, None, None
        if client is not None:
            for known in [known for known, each in list(_CLIENTS.items()) if each is client]:
                _CLIENTS.pop(known, None)
            client.close()

    @contextlib.contextmanager
    def asked(self, doing: str) -> Iterator[APIClient]:
        """Calls of the engine, with their errors in our words; ``doing`` is what they are for ("start db").

        Raises:
            RequirementError: the engine is gone, its disk is full, or it forbids this.
            CommandError: it refused.
        """
        api = self.api
        from docker.errors import APIError, DockerException
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            knock(self.address)  # docker-py leaves the socket open that it could not connect
        except OSError as error:
            raise self._gone(doing, error) from error
        try:
            yield api
        except APIError as error:
            raise refused(doing, error) from error
        except (DockerException, RequestException, HTTPError, ConnectionError) as error:
            raise self._gone(doing, error) from error

    def _gone(self, doing: str, error: Exception) -> RequirementError:
        url = self.address.url
        self.close()  # other connections that wait for their next use are as dead
        return RequirementError(
            f"the container engine at {url} did not answer any more, on: {doing} ({_cause(error)})",
            hint="See that it runs (`docker version`), then run the same command again: it goes on from there.",
        )

    def _look(self) -> tuple[Address, tuple[Address, ...]]:
        known = self._given or self._found
        if known is not None:
            return known, (known,)
        environment = os.environ if self._environment is None else self._environment
        self._found, tried = find(environment, Path.home())
        return self._found, tried


def refused(doing: str, error: APIError) -> MloxError:
    """What the engine refused, in its own words, with what helps."""
    said = str(error.explanation or error).strip()
    if any(words in said.lower() for words in FULL):
        return RequirementError(
            f"{doing}: the engine's disk is full: {said}", hint="Free some: mlox clean, then docker system prune."
        )
    if error.status_code == 403:
        return RequirementError(f"{doing}: the engine forbids it: {said}", hint="Ask who runs that engine to allow it.")
    return CommandError(
        f"{doing}: the engine refused: {said}", hint="Mend what it says, then run the same command again."
    )


def unreachable(error: OSError, address: Address, tried: tuple[Address, ...]) -> RequirementError:
    """Why an engine could not be opened: what was tried, and what helps."""
    causes = list(_causes(error))
    place = f"{address.url} ({address.source})"
    if any(isinstance(cause, PermissionError) for cause in causes):
        return RequirementError(
            f"this user may not use the container engine at {place}: permission denied",
            hint="Join the group docker (sudo usermod -aG docker $USER), then log in again.",
        )
    words = _cause(error)
    if address.tls is not None and any("ssl" in type(cause).__name__.lower() for cause in causes):
        return RequirementError(
            f"the container engine at {place} and this machine do not trust each other: {words}",
            hint="Check ca.pem, cert.pem and key.pem of that engine.",
        )
    plain = any(isinstance(cause, (ConnectionRefusedError, FileNotFoundError)) for cause in causes)
    others = list(dict.fromkeys(each.source for each in tried if each.url != address.url))
    nor = f", nor where these usually listen: {', '.join(others)}" if others else ""
    hint = "Start that engine, or name another with DOCKER_HOST or `docker context use`."
    if not address.said:
        hint = "Start Docker (sudo systemctl start docker, or Docker Desktop); the server local needs none."
    return RequirementError(f"no container engine answers at {place}{'' if plain else f': {words}'}{nor}", hint=hint)


_CLIENTS: dict[tuple[int, Address, int, int], DockerClient] = {}
"""The clients of sockets by process, address and the socket itself: an engine that was started again has another."""


def _shared(address: Address) -> DockerClient:
    """The client that this process has for a socket, since each costs the engine's version; else one of its own."""
    if address.socket is None:
        return _opened(address)
    there = address.socket.stat()
    key = (os.getpid(), address, there.st_ino, there.st_ctime_ns)
    client = _CLIENTS.get(key)
    if client is None:
        for old in [old for old in list(_CLIENTS) if old[:2] == key[:2]]:
            _CLIENTS.pop(old, None)
        client = _CLIENTS.setdefault(key, _opened(address))
    return client


def _opened(address: Address) -> DockerClient:
    """The client, at the newest version that both sides know; docker-py would ask for it before it is sealed."""
    import docker
    from docker.constants import DEFAULT_DOCKER_API_VERSION
    from docker.errors import DockerException

    tls = _tls(address)
    url = tunnels.through(address.url) if address.url.startswith("ssh://") else address.url
    try:
        first = docker.APIClient(url, version=OLDEST_API, timeout=OPEN_S, tls=tls)
        with contextlib.closing(first):
            _seal(first, address)
            said = first.version(api_version=False)
        newest, oldest = str(said.get("ApiVersion", "")), str(said.get("MinAPIVersion", ""))
        if _number(newest) < _number(OLDEST_API):
            raise RequirementError(
                f"the container engine at {address.url} speaks version {newest or 'none'} of the API; "
                f"{OLDEST_API} is needed",
                hint="Update it: Docker 20.10 or newer, Podman 4 or newer.",
            )
        version = min(newest, DEFAULT_DOCKER_API_VERSION, key=_number)
        client = docker.DockerClient(
            base_url=url,
            version=max(version, oldest, key=_number),
            timeout=CALL_S,
            tls=tls,
            max_pool_size=CONNECTIONS,
        )
    except DockerException as error:
        if isinstance(error, OSError):
            raise
        raise _unusable(address, error) from error
    _seal(client.api, address)
    return client


def _unusable(address: Address, error: Exception) -> RequirementError:
    return RequirementError(
        f"the container engine at {address.url} ({address.source}) cannot be used: {error}",
        hint=f"Check that address; mlox speaks to engines by the extra {DISTRIBUTION}[docker].",
    )


def _tls(address: Address) -> TLSConfig | bool:
    if address.tls is None:
        return False
    from docker.tls import TLSConfig

    given = address.tls
    pair = (str(given.cert), str(given.key)) if given.cert and given.key else None
    return TLSConfig(client_cert=pair, ca_cert=str(given.ca) if given.ca else None, verify=given.verify)


def _seal(client: APIClient, address: Address) -> None:
    """Keep the environment out, but for the proxies that apply to an engine elsewhere.

    ``REQUESTS_CA_BUNDLE`` would win over the engine's own authority, and a proxy would be asked for loopback.
    """
    client.trust_env = False
    if address.url.startswith("tcp://") and not address.here:
        from requests.utils import get_environ_proxies

        parts = urlsplit(address.url)
        scheme = "https" if address.tls else "http"
        client.proxies.update(get_environ_proxies(f"{scheme}://{parts.netloc}", no_proxy=None))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it came from; requests and urllib3 put the first one among the arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _cause(error: BaseException) -> str:
    """The words of the first cause that the system or the other side gave."""
    causes = list(_causes(error))
    system = [each for each in causes if isinstance(each, OSError) and each.strerror]
    return str(system[-1].strerror if system else causes[-1]).splitlines()[0] or type(error).__name__
