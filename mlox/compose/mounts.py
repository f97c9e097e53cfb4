"""What a Compose service mounts: volumes as data, folders of the host as they are, configs and secrets as files."""

from __future__ import annotations

import posixpath
from pathlib import Path

from mlox.compose.forms import BIND_OPTIONS, Forms, mount
from mlox.compose.loading import MAX_BYTES, Raw, read_text, scalar
from mlox.compose.parts import Part, Project, identifier
from mlox.errors import MloxError
from mlox.secret import Secret
from mlox.variables import literal

_KNOWN = {
    "bind": frozenset({"propagation", "create_host_path", "selinux"}),
    "volume": frozenset({"nocopy", "subpath"}),
    "tmpfs": frozenset({"size", "mode"}),
}
_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")


def read_mounts(project: Project, part: Part) -> None:
    """Put into the part what it mounts."""
    for index, one in enumerate(part.raw.get("volumes") or ()):
        path = f"{part.path}.volumes.{index}"
        written = mount(project.forms, one, path)
        kind, target = scalar(written.get("type")), scalar(written.get("target"))
        if kind not in _KNOWN:
            project.forms.findings.unsupported(path, f"a {kind} mount is not supported")
            continue
        if not target.startswith("/"):
            raise project.forms.findings.wrong(path, f"{target!r} is no absolute path", "Write where in the container.")
        written["target"] = posixpath.normpath(target)
        _read_mount(project, part, kind, written, path)
    if part.data or any(one["type"] == "bind" and not one.get("read_only") for one in part.unit.get("volumes", ())):
        part.unit["stateful"] = True
    _read_files(project, part, "configs")
    _read_files(project, part, "secrets")


def _read_mount(project: Project, part: Part, kind: str, written: Raw, path: str) -> None:
    forms = project.forms
    special = _special(forms, kind, written, path)
    read_only = forms.flag(written.get("read_only"), f"{path}.read_only")
    source = scalar(written.get("source"))
    if kind == "bind":
        if not source:
            raise forms.findings.wrong(path, "has no source")
        source = project.at(source)
        if source.rpartition("/")[2] in _SOCKETS:
            forms.findings.warn(
                path,
                f"{source} lets the container do all that root can on the machine",
                "leave it out, or mount the socket of a proxy that only allows what is needed",
            )
    elif kind == "volume":
        source = _volume(project, source, path) if source else ""
        if not special and not read_only:
            _add_data(part, written["target"], source)
            return
        if not source:
            forms.findings.unsupported(path, "a volume without a name has no options")
            return
    found = {"type": kind, "target": written["target"], **special}
    found |= {"source": source} if source else {}
    found |= {"read_only": True} if read_only else {}
    part.unit.setdefault("volumes", []).append(found)


def _special(forms: Forms, kind: str, written: Raw, path: str) -> Raw:
    """The options of a mount that are not as they come."""
    options = written.get(kind) or {}
    unknown = [
        f"{path}.{key}" for key in written.keys() - {"type", "source", "target", "read_only", "consistency", kind}
    ]
    unknown += [f"{path}.{kind}.{key}" for key in options.keys() - _KNOWN[kind]]
    for where in sorted(unknown):
        if not where.rpartition(".")[2].startswith("x-"):
            forms.findings.unsupported(where)
    special: Raw = {key: scalar(options[key]) for key in ("propagation", "selinux", "subpath") if options.get(key)}
    if special.get("propagation", "shared") not in BIND_OPTIONS:
        raise forms.findings.wrong(f"{path}.bind.propagation", "is none that there is")
    if kind == "bind" and not forms.flag(options.get("create_host_path", True), f"{path}.bind.create_host_path"):
        special["create_host_path"] = False
    if forms.flag(options.get("nocopy"), f"{path}.volume.nocopy"):
        special["nocopy"] = True
    if options.get("size") is not None:
        special["size"] = forms.size(options["size"], f"{path}.tmpfs.size")
    if options.get("mode") is not None:
        special["mode"] = forms.mode(options["mode"], f"{path}.tmpfs.mode", "1777")
    return special


def _volume(project: Project, key: str, path: str) -> str:
    """The engine's name of a volume of the file; it is used as it is."""
    forms, volumes = project.forms, project.document.section("volumes")
    if key not in volumes:
        raise forms.findings.wrong(path, f"there is no volume {key!r} below volumes", "Declare it there.")
    written, where = volumes[key], f"volumes.{key}"
    external = written.get("external")
    named = scalar(external.get("name")) if isinstance(external, dict) else ""
    is_external = bool(external) if isinstance(external, dict) else forms.flag(external, f"{where}.external")
    name = scalar(written.get("name")) or named or (key if is_external else f"{project.document.project}_{key}")
    if not is_external and scalar(written.get("driver")) not in ("", "local"):
        forms.findings.unsupported(f"{where}.driver", "only volumes of the engine itself are made")
    if not is_external and written.get("driver_opts"):
        forms.findings.unsupported(f"{where}.driver_opts")
    forms.findings.warn(where, f"the volume {name} is used as it is", "mlox never removes it")
    return name


def _add_data(part: Part, target: str, volume: str) -> None:
    """A folder of data: in a volume that is there, or in one of its own."""
    name = identifier(posixpath.basename(target) or "root", part.data)
    part.data[name] = {"path": literal(target), **({"volume": volume} if volume else {})}


def _read_files(project: Project, part: Part, kind: str) -> None:
    """``configs`` and ``secrets`` of a service: files that are written before it starts."""
    forms, declared = project.forms, project.document.section(kind)
    files: dict[str, Raw] = part.unit.setdefault("files", {})
    for index, one in enumerate(part.raw.get(kind) or ()):
        path = f"{part.path}.{kind}.{index}"
        written: Raw = one if isinstance(one, dict) else {"source": one}
        source = scalar(written.get("source"))
        if source not in declared:
            raise forms.findings.wrong(path, f"there is nothing named {source!r} below {kind}", "Declare it there.")
        target = scalar(written.get("target")) or source
        if not target.startswith("/"):
            target = f"/run/secrets/{target}" if kind == "secrets" else f"/{target}"
        value = _value(project, kind, source, declared[source])
        if value is None:
            continue
        mode = forms.mode(written.get("mode"), f"{path}.mode", "0444")
        name = identifier(posixpath.basename(target), files)
        content = literal(value)
        if kind == "secrets":
            key = identifier(name, part.secrets)
            part.secrets[key] = Secret(value)
            content = f"${{secret.{key}}}"
        files[name] = {"content": content, "path": literal(posixpath.normpath(target)), "mode": mode}
    if not files:
        del part.unit["files"]


def _value(project: Project, kind: str, source: str, declared: Raw) -> str | None:
    """The text of a config or a secret; None where it cannot be had."""
    findings, where = project.forms.findings, f"{kind}.{source}"
    for key in declared.keys() & {"external", "driver", "driver_opts", "template_driver"}:
        if declared[key]:
            findings.unsupported(f"{where}.{key}", "there is no swarm to keep it")
            return None
    if declared.get("file"):
        value = read_beside(project, scalar(declared["file"]), f"{where}.file")
    elif declared.get("environment"):
        variable = scalar(declared["environment"])
        if variable not in project.document.variables:
            raise findings.wrong(
                f"{where}.environment", f"{variable} is not set", f"Set {variable} in the environment."
            )
        value = project.document.variables[variable]
    elif kind == "configs" and declared.get("content") is not None:
        value = scalar(declared["content"])
    else:
        raise findings.wrong(where, "has neither a file, nor a variable, nor a content")
    if "\0" in value or (kind == "secrets" and not value):
        raise findings.wrong(where, "is empty, or no text", "Give it a value.")
    return value


def read_beside(project: Project, written: str, where: str) -> str:
    """The text of a file that a compose file names; at most as large as one itself.

    Raises:
        SpecError: it is not there, too large or no text; the problem names the path in the compose file.
    """
    if "://" in written or len(written) > MAX_BYTES:
        raise project.forms.findings.wrong(where, "is no file of this machine")
    try:
        return read_text(project.document.folder / Path(written).expanduser())
    except (MloxError, RuntimeError) as error:
        problem = error.problem if isinstance(error, MloxError) else f"{written!r} is in nobody's home"
        raise project.forms.findings.wrong(where, problem, "Name a file that exists.") from error
