"""Whether a registry still offers the version that was added, and as it was."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.version import Version

from mlox.components.manifest import Template
from mlox.components.records import Record
from mlox.errors import SpecError
from mlox.protocols import Published


def refuse_changed(record: Record, template: Template) -> None:
    """Raise a :class:`SpecError` where ``template`` is the version of ``record``, and not the same."""
    if record.version == template.spec.version and record.digest != template.digest:
        raise SpecError(
            f"{template.source} changed {record.name} {record.version} after it was published: "
            "the same version has another digest",
            hint="What you have stays as it is. Ask for a new version: a published one never changes.",
        )


def newest(versions: Sequence[Published]) -> str | None:
    """The version that somebody would get who adds it now: the newest that was not yanked."""
    return max((one.version for one in versions if not one.yanked), key=Version, default=None)


def note_on(record: Record, versions: Sequence[Published]) -> str:
    """What somebody who has it should know: it was yanked, changed afterwards, or has a newer version; else empty.

    Example:
        >>> digest = "0" * 64
        >>> record = Record(name="cache", version="1.0", source="x", digest=digest, package="p", into="src", files={})
        >>> note_on(record, [Published("1.0", yanked="it loses keys"), Published("0.9")])
        'version 1.0 was yanked: it loses keys'
        >>> note_on(record, [Published("1.0"), Published("1.1")])
        'there is a newer version: 1.1'
    """
    for one in versions:
        if one.version == record.version and one.yanked:
            return f"version {record.version} was yanked: {one.yanked}"
        if one.version == record.version and one.digest not in ("", record.digest):
            return f"version {record.version} was changed in its registry after it was published"
    latest = newest(versions)
    if latest is not None and Version(latest) > Version(record.version):
        return f"there is a newer version: {latest}"
    return ""
