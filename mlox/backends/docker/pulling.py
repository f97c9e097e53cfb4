"""How an image comes to an engine: one request that streams, told layer by layer, and ended where somebody asks.

Source: Docker Engine API, ``POST /images/create`` (query, ``X-Registry-Auth``, the stream of JSON objects), with moby's
``pkg/jsonmessage`` for what is in these. An engine ends a pull whose connection is closed.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlox.backends.docker.references import Reference
from mlox.errors import CommandError, RequirementError
from mlox.protocols import Emit, Event

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

TELL_S = 1.0
STEP = 0.05
"""Progress is told at most once in so many seconds, and when so much more of the whole is done, for plain lines too."""

CONNECT_S = 30
ASK_S = 60
POLL_S = 0.05

Clock = Callable[[], float]


@dataclass(slots=True)
class _Layer:
    size_bytes: int = 0
    downloaded_bytes: int = 0
    unpacked_bytes: int = 0


class Progress:
    """How far a pull is, from what the engine says of each layer.

    Example:
        >>> progress = Progress("redis:7", "cache", lambda: 0.0)
        >>> line = {"id": "a1", "status": "Downloading", "progressDetail": {"current": 3_000_000, "total": 6_000_000}}
        >>> progress.told(line)
        Event(service='cache', message='pulling redis:7 (3 of 6 MB)', kind='step', fraction=0.25)
    """

    def __init__(self, name: str, service: str, clock: Clock) -> None:
        self._name = name
        self._service = service
        self._clock = clock
        self._layers: dict[str, _Layer] = {}
        self._told_s: float | None = None
        self._share = 0.0

    def told(self, line: Mapping[str, object]) -> Event | None:
        """Take in one object of the stream; an event, where it is time for one."""
        self._take(line)
        size = sum(layer.size_bytes for layer in self._layers.values())
        if not size:
            return None
        downloaded = sum(layer.downloaded_bytes for layer in self._layers.values())
        unpacked = sum(layer.unpacked_bytes for layer in self._layers.values())
        share = min((downloaded + unpacked) / (2 * size), 1.0)
        now = self._clock()
        early = self._told_s is not None and (now - self._told_s < TELL_S or share - self._share < STEP)
        if early or share < self._share:  # a layer's size is told late: what was told does not go back
            return None
        self._told_s, self._share = now, share
        message = f"pulling {self._name} ({downloaded / 1e6:.0f} of {size / 1e6:.0f} MB)"
        return Event(self._service, message, fraction=share)

    def _take(self, line: Mapping[str, object]) -> None:
        status, detail = line.get("status"), line.get("progressDetail")
        layer = self._layers.setdefault(str(line.get("id", "")), _Layer())
        counts = detail if isinstance(detail, Mapping) and "units" not in detail else {}
        current, total = _bytes(counts.get("current")), _bytes(counts.get("total"))
        if status == "Downloading" and total:
            layer.size_bytes, layer.downloaded_bytes = total, min(current, total)
        elif status in ("Verifying Checksum", "Download complete"):
            layer.downloaded_bytes = layer.size_bytes
        elif status == "Extracting" and total:
            layer.size_bytes = layer.downloaded_bytes = total
            layer.unpacked_bytes = min(current, total)
        elif status == "Pull complete":
            layer.downloaded_bytes = layer.unpacked_bytes = layer.size_bytes


@dataclass(slots=True)
class Pull:
    """What a caller waits for: a look into a registry, or a pull; another thread may end it at any time."""

    name: str
    emit: Emit
    ended: bool = False
    _response: Response | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self) -> None:
        """Hang up; the thread that waits goes on at once."""
        with self._lock:
            self.ended = True
            if self._response is not None:
                hang_up = getattr(
                    self._response.raw, "shutdown", None
                )  # urllib3 2.3 and newer; else with the next line
                if hang_up is not None:
                    with contextlib.suppress(OSError, ValueError):  # it has just been read to its end
                        hang_up()

    def look_up(self, api: APIClient) -> str:
        """The digest that a registry has for the name, without pulling it; empty where it does not tell.

        Raises:
            RequirementError: there can be no such name.
            CommandError: it was ended on request.
        """
        reference = Reference.of(self.name)
        path = f"distribution/{reference.repository}:{reference.tag}/json"
        headers = credentials(api, reference)
        with self._answer(lambda: api.get(_url(api, path), headers=headers, timeout=ASK_S)) as response:
            if response.status_code == 400:
                raise not_to_be_had(self.name, said(response))
            return str(response.json()["Descriptor"]["digest"]) if response.status_code == 200 else ""

    def run(self, api: APIClient, platform: str, tell: Callable[[Mapping[str, object]], None]) -> None:
        """Pull to the end.

        Raises:
            RequirementError: it is not to be had.
            CommandError: it was ended on request.
        """
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        reference = Reference.of(self.name)
        query = {"fromImage": reference.repository, "tag": reference.digest or reference.tag}
        if platform:
            query["platform"] = platform
        headers = credentials(api, reference)
        url, wait_s = _url(api, "images/create"), (CONNECT_S, None)
        with self._answer(
            lambda: api.post(url, params=query, headers=headers, stream=True, timeout=wait_s)
        ) as response:
            try:
                with self._lock:
                    self._response = None if self.ended else response
                for line in self._lines(response):
                    tell(line)
            except (RequestException, HTTPError):
                if not self.ended:
                    raise
            finally:
                with self._lock:
                    self._response = None
        if self.ended:
            raise self._ended()

    def _answer(self, ask: Callable[[], Response]) -> Response:
        """What is answered; where this is ended before, nobody waits, and the answer is let go when it comes.

        An engine is silent until a registry has answered, which can take it long.
        """
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        answers: list[Response] = []
        failed: list[Exception] = []

        def work() -> None:
            try:
                response = ask()
            except (RequestException, HTTPError, OSError) as error:
                failed.append(error)
                return
            with self._lock:
                if not self.ended:
                    answers.append(response)
                    return
            response.close()

        thread = threading.Thread(target=work, name="mlox-pull-request", daemon=True)
        thread.start()
        while thread.is_alive() and not self.ended:
            thread.join(POLL_S)
        if failed and not self.ended:
            raise failed[0]
        with self._lock:
            if answers:
                return answers[0]
        raise self._ended()

    def _lines(self, response: Response) -> Iterator[Mapping[str, object]]:
        if response.status_code != 200:
            raise not_to_be_had(self.name, said(response), response.status_code)
        texts = response.iter_lines()
        while not self.ended and (text := next(texts, None)) is not None:
            if text:
                line = json.loads(text)
                if "error" in line:
                    raise not_to_be_had(self.name, str(line["error"]))
                yield line

    def _ended(self) -> CommandError:
        problem = f"the pull of {self.name} was ended on request"
        return CommandError(problem, hint="Run the same command again to go on.")


def credentials(api: APIClient, reference: Reference) -> dict[str, str]:
    """The header for a registry, from ``~/.docker/config.json`` and its helpers, read anew: people log in meanwhile.

    As the docker command does, a helper that fails counts as having nothing.
    """
    from docker.auth import get_config_header
    from docker.errors import DockerException

    try:
        api.reload_config()
        header = get_config_header(api, reference.registry)
    except DockerException:
        header = None
    return {"X-Registry-Auth": header.decode()} if header else {}


def said(response: Response) -> str:
    """What the engine says of a failure."""
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or response.reason


def not_to_be_had(name: str, words: str, status: int = 0) -> RequirementError:
    """Why an image cannot be pulled: in the registry's words, with what helps.

    Example:
        >>> not_to_be_had("redis:77", "manifest for redis:77 not found: manifest unknown").hint
        'Check the name and the tag of the image.'
    """
    reference, seen = Reference.of(name), words.lower()
    login = "docker login" + ("" if reference.registry == "docker.io" else f" {reference.registry}")
    hints = (
        (("no space left on device", "disk quota exceeded"), "Free some of the engine's disk: docker system prune."),
        (("toomanyrequests", "rate limit"), f"Wait, or log in, which raises that limit: {login}"),
        (("repository does not exist",), f"Check the name of the image; for a private one: {login}"),
        (("unauthorized", "authentication required", "no basic auth", "denied", "forbidden"), f"Log in: {login}"),
        (("no matching manifest", "does not match the specified platform"), "Choose an image for that platform."),
        (("manifest unknown", "name unknown", "not found"), "Check the name and the tag of the image."),
        (("invalid reference",), "Write it as NAME:TAG, in lower case."),
        (("x509", "certificate"), "Let the engine trust that registry's certificate."),
    )
    hint = next((hint for parts, hint in hints if any(part in seen for part in parts)), "")
    network = "Check the network and the proxy of the engine, then run the same command again."
    return RequirementError(
        f"the image {name} is not to be had: {words}", hint=hint or (f"Log in: {login}" if status == 401 else network)
    )


def _url(api: APIClient, path: str) -> str:
    return f"{api.base_url}/v{api.api_version}/{path}"


def _bytes(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
