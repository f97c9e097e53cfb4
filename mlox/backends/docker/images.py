"""Which images there are: a name is decided once, as a pin; pins are brought; what nobody needs any more is told.

A pin is ``repository@sha256:...``, or the image's own id where it never came from a registry. What mlox brought carries
a tag of its own, ``mlox-pulled:DIGITS``: labels cannot be added to an image, tags can. Only by this tag an image is
known to be ours, and only where it has no other name and no container, stopped ones included, it is left over.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from mlox.backends.docker.engine import Engine
from mlox.backends.docker.pulling import Progress, Pull, not_to_be_had
from mlox.backends.docker.references import ID, Reference, familiar
from mlox.errors import RequirementError, UsageError
from mlox.protocols import Emit, Event, Leftover

if TYPE_CHECKING:
    from docker import APIClient

OURS = "mlox-pulled"
AT_ONCE = 4


class Images:
    """The images of an engine; implements what a back end needs of them for pins, ``clean`` and ``abort``."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._running: list[Pull] = []
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    def pin(self, name: str, emit: Emit, *, service: str = "", platform: str = "") -> str:
        """The pin of an image: of what is here, else of what its registry has now.

        Raises:
            RequirementError: it is not to be had.
        """
        reference = Reference.of(name)
        if ID.fullmatch(name):
            return str(self._needed(name)["Id"])
        if reference.digest:
            return reference.pin
        there = self._inspect(name)
        if there is None or not _fits(there, platform):
            emit(Event(service, f"looking up {name}"))
            with self._going_on(name, emit, f"look up {name}") as (asking, api):
                digest = asking.look_up(api)
            if digest:
                return f"{reference.repository}@{digest}"
            self._pull(name, platform, service, emit)  # registries of some kinds tell by pulling alone
            there = self._needed(name)
        return _pin_of(there, reference.repository)

    def pins(self, names: Iterable[str], emit: Emit, *, platform: str = "") -> dict[str, str]:
        """The pins of several images, decided and brought side by side.

        Raises:
            RequirementError: one is not to be had; the other pulls are ended.
        """

        def tell(event: Event) -> None:  # these pulls are known by it
            emit(event)

        def one(name: str) -> str:
            pin = self.pin(name, tell, platform=platform)
            self.bring(pin, tell, platform=platform, called=name)
            return pin

        wanted = list(dict.fromkeys(names))
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="mlox-pull") as pool:
            waiting = [pool.submit(one, name) for name in wanted]
            try:
                for done in wait(waiting, return_when=FIRST_EXCEPTION).done:
                    done.result()
                return {name: each.result() for name, each in zip(wanted, waiting, strict=True)}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._end(lambda pull: pull.emit is tell)
                raise

    def bring(self, pin: str, emit: Emit, *, service: str = "", platform: str = "", called: str = "") -> None:
        """Make sure that a pinned image is here; ``called`` is its name for a reader.

        Raises:
            RequirementError: it is not to be had.
            CommandError: the pull was ended on request.
        """
        with self._turn(pin):
            there = self._inspect(pin)
            if there is not None and _fits(there, platform):
                return
            if ID.fullmatch(pin):
                raise _gone(pin)
            self._pull(pin, platform, service, emit, called=called)
            if there is None:
                self._mark(pin)
            if not _fits(self._needed(pin), platform):  # an engine takes the one image that there is
                raise not_to_be_had(called or pin, f"no matching manifest for {platform}")

    def is_there(self, pin: str) -> bool:
        """Whether a pinned image is here."""
        return self._inspect(pin) is not None

    def leftovers(self, used: Iterable[str]) -> tuple[Leftover, ...]:
        """The images that mlox brought, that have no other name, no container, and are not among the pins ``used``."""
        kept = set(used)
        with self._engine.asked("look for unused images") as api:
            busy = {str(each["ImageID"]) for each in api.containers(all=True)}
            images = api.images()  # all of them: a filter by name hides the other names of an image
        found = {_only_pin(image): image for image in images if str(image["Id"]) not in busy}
        return tuple(Leftover(pin, int(found[pin]["Size"])) for pin in sorted(found) if pin and pin not in kept)

    def discard(self, pin: str, still_unused: Callable[[], bool]) -> None:
        """Remove one of :meth:`leftovers`; does nothing where it is gone.

        Raises:
            UsageError: somebody uses it by now.
        """
        from docker.errors import APIError, NotFound

        with self._turn(pin):
            if self._inspect(pin) is None:
                return
            in_use = UsageError(f"the image {pin} is in use", hint="Ask again for what is left over.")
            if not still_unused():
                raise in_use
            with self._engine.asked(f"remove {pin}") as api:
                for name in (_mark_of(pin), pin):
                    try:
                        api.remove_image(name)
                    except NotFound:
                        continue
                    except APIError as error:
                        if error.status_code != 409:
                            raise
                        api.tag(pin, OURS, _mark_of(pin).partition(":")[2])
                        raise in_use from error

    def abort(self) -> None:
        """End the pulls that run for callers."""
        self._end(lambda _: True)

    def _end(self, which: Callable[[Pull], bool]) -> None:
        with self._lock:
            running = tuple(self._running)
        for each in filter(which, running):
            each.end()

    def _pull(self, name: str, platform: str, service: str, emit: Emit, *, called: str = "") -> None:
        shown = called or name.partition("@")[0]
        emit(Event(service, f"pulling {shown}"))
        progress = Progress(shown, service, self._clock)

        def tell(line: Mapping[str, object]) -> None:
            event = progress.told(line)
            if event is not None:
                emit(event)

        with self._going_on(name, emit, f"pull {shown}") as (running, api):
            running.run(api, platform, tell)

    @contextlib.contextmanager
    def _going_on(self, name: str, emit: Emit, doing: str) -> Iterator[tuple[Pull, APIClient]]:
        running = Pull(name, emit)
        with self._lock:
            self._running.append(running)
        try:
            with self._engine.asked(doing) as api:
                yield running, api
        finally:
            running.end()
            with self._lock:
                self._running.remove(running)

    def _mark(self, pin: str) -> None:
        with self._engine.asked(f"mark {pin}") as api:
            repository, _, tag = _mark_of(pin).partition(":")
            api.tag(pin, repository, tag)

    def _inspect(self, name: str) -> Mapping[str, Any] | None:
        from docker.errors import APIError, NotFound

        with self._engine.asked(f"look for {name}") as api:
            try:
                found: Mapping[str, Any] = api.inspect_image(name)  # type: ignore[no-untyped-call]
            except NotFound:
                return None
            except APIError as error:
                if error.status_code != 400:
                    raise
                raise not_to_be_had(name, str(error.explanation), 400) from error
        return found

    def _needed(self, name: str) -> Mapping[str, Any]:
        there = self._inspect(name)
        if there is None:
            raise _gone(name)
        return there

    def _turn(self, pin: str) -> threading.Lock:
        """One at a time for one image in this process; the engine itself joins the pulls of several."""
        with self._lock:
            return self._turns.setdefault(pin, threading.Lock())


def _pin_of(image: Mapping[str, Any], repository: str) -> str:
    """The digest by which the repository knows an image; its own id where it never came from there."""
    for known in image.get("RepoDigests") or ():
        reference = Reference.of(str(known))
        if reference.repository == repository:
            return reference.pin
    return str(image["Id"])


def _only_pin(image: Mapping[str, Any]) -> str:
    """The pin of an image that has our mark, and no name beside the pin; else empty."""
    pins = {Reference.of(str(each)).pin for each in image.get("RepoDigests") or ()}
    pins = {pin for pin in pins if pin.partition("@")[0] != OURS}
    pin = next(iter(pins)) if len(pins) == 1 else ""
    names = {familiar(str(each)) for each in image.get("RepoTags") or ()} - {"<none>:<none>"}
    return pin if pin and names == {_mark_of(pin)} else ""


def _mark_of(pin: str) -> str:
    return f"{OURS}:{pin.partition('@sha256:')[2][:32]}"


def _fits(image: Mapping[str, Any], platform: str) -> bool:
    """Whether an image is for a platform, ``os/architecture`` or ``os/architecture/variant``."""
    there = (image.get("Os"), image.get("Architecture"), image.get("Variant"))
    return all(said == has for said, has in zip(platform.split("/"), there, strict=False)) if platform else True


def _gone(name: str) -> RequirementError:
    return RequirementError(
        f"the image {name} is not on this engine, and no registry has it", hint="Build or load it again."
    )
