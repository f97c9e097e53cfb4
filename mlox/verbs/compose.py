"""Verbs about compose files: import makes services of one, export compose writes one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mlox.values import Notice, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.compose import Imported, Reading


@verb("import", group="stack")
def import_(
    ctx: Context,
    file: Annotated[str, "a compose file, such as compose.yaml"],
    *,
    project: Annotated[str | None, "the Compose project whose volumes are used, if not the folder's"] = None,
    allow_unsupported: Annotated[bool, "leave out what cannot be carried, and name it"] = False,
) -> Value:
    """Make services of a Compose file: a file below services/ and an entry in mlox.yaml for each; starts nothing.

    Passwords in the file become secrets. Volumes that are there are used as they are. Ports are published on loopback.
    Variables come from the environment and from the .env beside the file, by Compose's rules.
    """
    from mlox.stack.importing import read, take_in

    stack = ctx.stack()
    path = (ctx.folder or Path()) / Path(file).expanduser()
    if ctx.dry_run:
        reading = read(stack, path, project=project, allow_unsupported=allow_unsupported)
    else:
        reading = take_in(stack, path, project=project, allow_unsupported=allow_unsupported, emit=ctx.emit)
    return _told(reading, path.name, written=not ctx.dry_run)


def _told(reading: Reading, source: str, *, written: bool) -> Notice:
    would = "" if written else "would be "
    lines = [f"{service.name}: {would}services/{service.spec.name}.yaml, from {source}" for service in reading.services]
    secrets = [f"{service.name}.{key}" for service in reading.services for key in service.secrets]
    if secrets:
        lines.append(f"{'kept' if written else 'would be kept'} as secrets: {', '.join(secrets)}")
    lines += [f"left out: {finding}" for finding in reading.left_out]
    lines += [f"note: {finding}" for finding in reading.warnings]
    first = reading.services[0].name if len(reading.services) == 1 else ""
    lines.append(f"start: {{mlox}} up {first}".rstrip() if written else "nothing was written")
    return Notice(
        tuple(lines),
        {
            "project": reading.project,
            "services": [_row(service) for service in reading.services],
            "warnings": [finding.to_json() for finding in reading.warnings],
            "left_out": [finding.to_json() for finding in reading.left_out],
            "written": written,
        },
    )


def _row(service: Imported) -> dict[str, Any]:
    return {
        "name": service.name,
        "service": service.spec.name,
        "file": f"services/{service.spec.name}.yaml",
        "volumes": list(service.volumes),
        "secrets": [f"{service.name}.{key}" for key in service.secrets],
        **{key: value for key, value in service.entry.items() if key != "service"},
    }


@verb("export compose", group="stack")
def export_compose(
    ctx: Context, names: Annotated[tuple[str, ...], "services, with what they need; none means all"] = ()
) -> Value:
    """Write the services as a Compose file to standard output; secrets by the names of variables, never by value.

    A service that runs as a process here is written too where the catalog has an image of it; one without is named.
    """
    from mlox.stack.exporting import to_compose

    exported = to_compose(ctx.stack(), names)
    json = {"compose": exported.document(), "secrets": exported.variables, "notes": exported.notes}
    return Notice(tuple(exported.text().splitlines()), json, verbatim=True)
