"""What the back end in memory holds of services on their way: notes, and data as an archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from mlox.archives import END, entries, header, padding
from mlox.errors import ServiceError
from mlox.protocols import Passage
from mlox.specs import CONFIG
from mlox.testing.held import Held
from mlox.units import Unit

Key = tuple[str, str]
WORDS = "words"
"""The file in which a service's text is, in an archive."""


class FakeCarrying:
    """Notes and data; shares what it works on with the back end.

    Attributes:
        trees: data that is more than a text, as an archive. ``done``: the ``init`` jobs that came done with it.
    """

    def __init__(self, held: Mapping[tuple[str, str, str], Held], data: dict[Key, str], effects: list[str]) -> None:
        self._held = held
        self._data = data
        self._effects = effects
        self._notes: dict[Key, Passage] = {}
        self.trees: dict[Key, bytes] = {}
        self.done: dict[Key, frozenset[str]] = {}

    def note(self, stack: str, passage: Passage) -> None:
        """Note that a service is on its way."""
        self._notes[stack, passage.service] = passage

    def noted(self, stack: str) -> tuple[Passage, ...]:
        """What is noted."""
        return tuple(passage for key, passage in sorted(self._notes.items()) if key[0] == stack)

    def forget(self, stack: str, service: str) -> None:
        """Forget what is noted."""
        self._notes.pop((stack, service), None)

    def purge(self, stack: str, service: str) -> None:
        """Forget all of a service."""
        self.forget(stack, service)
        self._data.pop((stack, service), None)
        self.trees.pop((stack, service), None)
        self.done.pop((stack, service), None)

    def size(self, units: Sequence[Unit]) -> int:
        """The bytes of its archive and of its text."""
        key = units[0].stack, units[0].service
        return len(self.trees.get(key, b"")) + len(self._data.get(key, "").encode())

    def out(self, units: Sequence[Unit]) -> Iterator[bytes]:
        """Its data as an archive.

        Raises:
            ServiceError: it runs.
        """
        stack, service = units[0].stack, units[0].service
        if any(held.state == "running" for key, held in self._held.items() if key[:2] == (stack, service)):
            raise ServiceError(f"{service} runs, and its data changes", hint=f"Stop it: mlox down {service}.")
        names = sorted({name for unit in units for name, _ in unit.directories if name != CONFIG})
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name in names:
                _add(archive, _folder(name))
            tree = self.trees.get((stack, service))
            for path, entry, file in entries([tree]) if tree is not None else ():
                if len(path) > 1 and path[0] in names:
                    _add(archive, entry, file.read() if file is not None else b"")
            if names and (stack, service) in self._data:
                _add(
                    archive,
                    tarfile.TarInfo(f"{names[0]}/{WORDS}"),
                    self._data[stack, service].encode("utf-8", "surrogateescape"),
                )
        yield stream.getvalue()

    def gone(self, units: Sequence[Unit]) -> None:
        """Forget its data, and the jobs that came done with it.

        Raises:
            ServiceError: it runs.
        """
        key = units[0].stack, units[0].service
        own = [held for there, held in self._held.items() if there[:2] == key]
        if any(held.state == "running" for held in own):
            raise ServiceError(f"{key[1]} runs, and its data changes", hint=f"Stop it: mlox down {key[1]}.")
        for held in own:
            held.jobs.clear()
        self._effects.append(f"remove the data of {key[1]}")
        self._data.pop(key, None)
        self.trees.pop(key, None)
        self.done.pop(key, None)

    def take_in(self, units: Sequence[Unit], chunks: Iterable[bytes], done: Collection[str]) -> None:
        """Hold what is in an archive.

        Raises:
            ServiceError: it is cut off, or there is data already.
        """
        key = units[0].stack, units[0].service
        if key in self._data or key in self.trees:
            raise ServiceError(f"there is data of {key[1]} already", hint="Remove that, or use another name.")
        names = {name for unit in units for name, _ in unit.directories if name != CONFIG}
        text: str | None = None
        parts: list[bytes] = []
        for path, entry, file in entries(chunks):
            if path and path[0] not in names:
                raise ServiceError(f"{path[0]!r} is no folder of its data here", hint="Use one version of its file.")
            body = file.read() if file is not None else b""
            if len(path) == 2 and path[1] == WORDS and file is not None:
                text = body.decode("utf-8", "surrogateescape")
            else:
                parts += [header(entry), body, padding(len(body))]
        self._effects.append(f"take in {units[0].service}")
        self.trees[key] = b"".join((*parts, END))
        self.done[key] = frozenset(done)
        for there, held in self._held.items():
            if there[:2] == key:
                held.jobs |= self.done[key]
        if text is not None:
            self._data[key] = text


class FakeCarrier:
    """A part of :class:`~mlox.testing.backend.FakeBackend`.

    Attributes:
        carried: what it holds of services on their way.
    """

    carried: FakeCarrying

    def note_passage(self, stack: str, passage: Passage) -> None:
        """Note that a service is on its way."""
        self.carried.note(stack, passage)

    def passages(self, stack: str) -> tuple[Passage, ...]:
        """What is noted."""
        return self.carried.noted(stack)

    def forget_passage(self, stack: str, service: str) -> None:
        """Forget what is noted of a service."""
        self.carried.forget(stack, service)

    def data_size(self, units: Sequence[Unit]) -> int:
        """How many bytes the data of ``units`` takes."""
        return self.carried.size(units)

    def data_out(self, units: Sequence[Unit]) -> Iterator[bytes]:
        """The data of ``units``, which do not run, as an archive.

        Raises:
            ServiceError: it runs.
        """
        return self.carried.out(units)

    def data_in(self, units: Sequence[Unit], chunks: Iterable[bytes], *, done: Collection[str]) -> None:
        """Hold data for ``units``.

        Raises:
            ServiceError: the archive is cut off, or there is data already.
        """
        self.carried.take_in(units, chunks, done)

    def data_gone(self, units: Sequence[Unit]) -> None:
        """Forget the data of ``units``, which do not run.

        Raises:
            ServiceError: it runs.
        """
        self.carried.gone(units)


def _folder(name: str) -> tarfile.TarInfo:
    folder = tarfile.TarInfo(name)
    folder.type, folder.mode = tarfile.DIRTYPE, 0o700
    return folder


def _add(archive: tarfile.TarFile, entry: tarfile.TarInfo, body: bytes = b"") -> None:
    entry.size = len(body)
    archive.addfile(entry, io.BytesIO(body))
