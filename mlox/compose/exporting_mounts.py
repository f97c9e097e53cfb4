"""What an exported unit mounts: volumes, folders of the host, and its files as configs and secrets."""

from __future__ import annotations

import posixpath
import re

from mlox.compose.exported import Exported, container_of, escaped, foreign, inside, service_of
from mlox.compose.loading import Raw
from mlox.compose.parts import identifier
from mlox.compose.writing import Octal
from mlox.units import Unit

_SPECIAL = ("propagation", "selinux", "nocopy", "subpath", "size")


def volumes_of(exported: Exported, unit: Unit) -> list[Raw]:
    """The mounts of a unit in Compose's long form; named volumes are added to the file."""
    container = container_of(unit)
    found: list[Raw] = []
    for volume in container.volumes:
        mount: Raw = {"type": "volume", "target": escaped(volume.path)}
        if volume.volume:
            mount["source"] = _external(exported, volume.volume)
        elif not foreign(unit):
            mount["source"] = f"{unit.service}-{volume.name}"
            exported.volumes[mount["source"]] = {}
        found.append(mount)
    for written in container.settings.get("volumes", ()):
        kind = written["type"]
        mount = {"type": kind, "target": escaped(written["target"])}
        if kind == "volume":
            mount["source"] = _external(exported, written["source"])
        elif kind == "bind":
            mount["source"] = exported.path(written["source"])
        if written.get("read_only"):
            mount["read_only"] = True
        special = {key: written[key] for key in _SPECIAL if key in written}
        if kind == "bind":
            special["create_host_path"] = written.get("create_host_path", True)
        if "mode" in written:
            special["mode"] = Octal(int(written["mode"], 8))
        found.append({**mount, **({kind: special} if special else {})})
    return found


def add_files(exported: Exported, unit: Unit, service: Raw) -> None:
    """The files of a unit: one that is nothing but a secret is a Compose secret, any other a config.

    Compose's files belong to root: those of mlox's own services are open to the container's user.
    """
    names: list[str] = []
    for file in unit.files:
        names.append(identifier(posixpath.basename(file.path), names))
        name = f"{service_of(unit)}-{names[-1]}"
        variable = exported.only_secret(unit, file.content)
        if variable is not None:
            kind, exported.secrets[name] = "secrets", {"environment": variable}
        else:
            kind, exported.configs[name] = "configs", {"content": exported.template(unit, file.content)}
        mode = f"{file.mode:04o}" if foreign(unit) else "0444"
        service.setdefault(kind, []).append({"source": name, "target": escaped(inside(unit, file.path)), "mode": mode})


def _external(exported: Exported, name: str) -> str:
    """The key of a volume that is there already."""
    key = re.sub(r"[^a-zA-Z0-9._-]", "_", name)
    exported.volumes[key] = {"name": name, "external": True}
    return key
