"""What is kept of a service while it is changed: its containers under other names, copies of its volumes, and a note.

The note is a container that never runs; its label says which units ran, whether their data is copied, and how far going
back has come. Another note takes its place by its name, so that there is always one whole note, or none.
``VOLUME.kept`` is the data of what ran, ``VOLUME.failed`` that of what failed last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from mlox.backends.docker import blank, containers, labels, naming, rooms, stopping, volumes
from mlox.backends.docker.labels import KEPT, Name, There
from mlox.backends.docker.naming import Labels
from mlox.backends.docker.notes import Note, notes
from mlox.backends.docker.site import Site
from mlox.leases import Holder
from mlox.protocols import Kept
from mlox.units import Unit


def keep(site: Site, stack: str, service: str, *, data: bool) -> Kept:
    """Stop a service and keep it; see :meth:`mlox.protocols.Undoing.keep`."""
    found = labels.listed(site.engine, stack, service)
    there = list(labels.current(found).values())
    note = notes(found).get((stack, service))
    if note is None:
        units = tuple(each.unit for each in there if isinstance(each.unit, Unit))
        if not units:
            return Kept()
        note = Note(units)
        _write(site, stack, service, note)
    for each in there:
        stopping.halt(site, each)
    if not data or note.data or note.note:
        return note.kept
    pairs = {name: f"{name}.kept" for name in _data(note)}
    why = _copied(site, stack, service, pairs, _image(found), ask_room=True)
    note = Note(note.units, data=not why, note=why)
    _write(site, stack, service, note)
    return note.kept


def put_aside(site: Site, there: There) -> bool:
    """Give a container that may come back another name; False for one that nobody keeps."""
    name = there.named
    found = labels.listed(site.engine, name.stack, name.service)
    note = notes(found).get((name.stack, name.service))
    if note is None or there.unit != note.unit(name.unit) or any(each.name == name.kept for each in found):
        return False
    containers.rename(site.engine, there.id, name.kept, there.labels)
    return True


def take_back(site: Site, stack: str, service: str) -> Kept:
    """Put what was kept in its place again; see :meth:`mlox.protocols.Undoing.take_back`."""
    found = labels.listed(site.engine, stack, service)
    note = notes(found).get((stack, service))
    if note is None:
        return Kept()
    image = _image(found)
    if not note.back:
        note = replace(note, back="begun")
        _write(site, stack, service, note)
    _swap(site, found, note)
    names = _data(note)
    if note.data and note.back == "begun":
        _copied(site, stack, service, {name: f"{name}.failed" for name in names}, image, ask_room=True)
        note = replace(note, back="aside")
        _write(site, stack, service, note)
    if note.data:
        why = _copied(site, stack, service, {f"{name}.kept": name for name in names}, image, ask_room=False)
        if why:
            return replace(note.kept, data=False, note=why)
    _write(site, stack, service, Note(note.units, came_back=True))
    rooms.remove_volumes(site.engine, [f"{name}.kept" for name in names], Labels(stack, service))
    aside = [f"{name}.failed" for name in names if note.data and rooms.look(site.engine, f"{name}.failed")]
    told = f"the volume {', '.join(aside)}" if aside else ""
    return Kept(note.units, note.data, aside=told)


def settle(site: Site, stack: str, service: str) -> None:
    """Forget what was kept; see :meth:`mlox.protocols.Undoing.settle`."""
    found = labels.listed(site.engine, stack, service)
    note = notes(found).get((stack, service))
    if note is None:
        return
    _forget(site, [each for each in found if each.role == "note" or each.name == each.named.kept])
    endings = (".kept",) if note.came_back else (".kept", ".failed")
    gone = [f"{name}{ending}" for name in _data(note) for ending in endings]
    rooms.remove_volumes(site.engine, gone, Labels(stack, service))


def recover(site: Site, stack: str) -> None:
    """Finish ways back, and remove what stood beside; see :meth:`mlox.protocols.Undoing.recover`."""
    found = labels.listed(site.engine, stack)
    known = notes(found)
    _forget(site, [each for each in found if each.role in ("job", "helper")])
    for (_, service), note in known.items():
        if note.back:
            take_back(site, stack, service)
    units = labels.current(found).values()
    for each in units:
        stopping.go_on(site, each)
    for each in found:
        whole = (each.labels.stack, each.labels.service) in known
        left = not whole and (each.role == "note" or each.name == each.named.kept)
        if left or (each.name in (each.named.purging, each.named.new) and each not in units):
            containers.remove(site.engine, each.id)
    if found:
        kept = {f"{name}.kept" for note in known.values() for name in _data(note)}
        made = {name for name in rooms.volumes_of(site.engine, Labels(stack)) if name.endswith(".kept")}
        rooms.remove_volumes(site.engine, sorted(made - kept), Labels(stack))
    else:
        rooms.remove_network(site.engine, stack)


def at_rest(site: Site, stack: str, holder: Holder) -> bool:
    """Whether there is nothing to recover, and nobody at work; see :meth:`mlox.protocols.Undoing.at_rest`."""
    if not site.leases.is_free(stack, holder):
        return False
    found = labels.listed(site.engine, stack)
    units = [each for each in found if each.role != labels.HISTORY]
    in_place = all(not each.role and each.name == _resting(each) for each in units)
    kept = (name for name in rooms.volumes_of(site.engine, Labels(stack)) if name.endswith(".kept"))
    return bool(found) and in_place and not any(kept)


def _resting(there: There) -> str:
    """The name that a unit's container has when nothing happens to it."""
    return there.named.stopped if there.name == there.named.stopped and not there.alive else there.named.plain


def _swap(site: Site, found: list[There], note: Note) -> None:
    """Stop what there is, and let what ran before have its name again."""
    aside = {each.labels.unit: each for each in found if not each.role and each.name == each.named.kept}
    for there in labels.current(found).values():
        stopping.halt(site, there)
        unit = there.labels.unit
        if unit in aside or there.unit != note.unit(unit):
            containers.remove(site.engine, there.id)
    for there in aside.values():
        containers.rename(site.engine, there.id, there.named.plain, there.labels)


def _data(note: Note) -> tuple[str, ...]:
    """The volumes with data of ours."""
    return tuple(dict.fromkeys(name for unit in note.units for name in rooms.ours(unit)[1:]))


def _copied(site: Site, stack: str, service: str, pairs: Mapping[str, str], image: str, *, ask_room: bool) -> str:
    pairs = {source: target for source, target in pairs.items() if rooms.look(site.engine, source) is not None}
    if not pairs:
        return ""
    for target in pairs.values():
        rooms.make_volume(site.engine, target, Labels(stack, service))
    return volumes.copy(site, Name(stack, service, "data"), image, pairs, ask_room=ask_room)


def _image(found: list[There]) -> str:
    """An image that is surely here: of a unit's container that there is, else of any."""
    return next(each.image for each in sorted(found, key=lambda each: each.role != ""))


def _write(site: Site, stack: str, service: str, note: Note) -> None:
    text = json.dumps(asdict(note), separators=(",", ":"))
    told = {**labels.beside(Name(stack, service, ""), "note"), KEPT: text}
    blank.put(site, f"{naming.network(stack)}-{service}.kept", told, doing=f"keep {service}")


def _forget(site: Site, which: Iterable[There]) -> None:
    for each in sorted(which, key=lambda each: each.role != "note"):
        containers.remove(site.engine, each.id)
