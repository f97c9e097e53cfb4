"""The verb add, for components: their code goes into the repository, and what they need comes along."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from mlox.values import Notice, Value
from mlox.values.differences import WouldWrite, written_by
from mlox.verbs.components import assignments, counted, setting_names, written_into
from mlox.verbs.context import Context

if TYPE_CHECKING:
    from mlox.components import Addition, Record, Template
    from mlox.stack import Components


def add_component(
    ctx: Context, word: str, *, to: str | None, set_: tuple[str, ...], install: bool, up: bool, verify: bool
) -> Value:
    """Write a component into the repository."""
    from mlox.specs.naming import split_version
    from mlox.stack import Components, options_of
    from mlox.stack import install as install_all
    from mlox.stack.proving import prove, start_services

    components = Components(ctx.stack())
    name, version, exact = split_version(word)
    template = components.template(name, version if exact else None)
    options = options_of(template, assignments(set_))
    planned = components.plan(template, to=to, options=options)
    if ctx.dry_run:
        return _would_add(components, template, planned)
    if planned is not None:
        _ask(ctx, components, planned)
    services = start_services(components, template, ctx.emit) if up else ()
    requirements = _requirements(template, planned)
    if install and requirements:
        install_all(requirements, name, ctx.emit)
    addition = components.add(template, to=to, options=options, emit=ctx.emit)
    record = components.added()[name]
    tests = prove(components, record, ctx.emit, written=addition is not None) if verify else ()
    lines = _added(components, template, addition, record)
    lines += [f"tests passed: {', '.join(tests)}"] if tests else []
    if install:
        lines.append(f"installed: {', '.join(requirements)}")
    elif addition is not None and requirements:
        lines.append(f"install what it needs: {{mlox}} add {name} --install")
    lines += [f"runs for it: {', '.join(services)} (its address: {{mlox}} env {services[0]})"] if services else []
    lines += [*_how_to_import(template, record), f"take it out: {{mlox}} remove {name}"]
    json = _json(template, addition, record) | {"added": addition is not None, "installed": install}
    return Notice(tuple(lines), json | {"services": list(services), "verified": bool(tests)})


def _ask(ctx: Context, components: Components, addition: Addition) -> None:
    """Show what goes into files of the user's, and modules that he has edited, and ask; others need no yes."""
    from mlox.components.settings import users_own
    from mlox.components.views import FileDiff
    from mlox.verbs.asking import confirm_diffs

    records = components.added()
    added = [one.record for one in (*addition.along, addition)]
    touched = {path for record in added for path in record.extends}
    edited = {path for record in records.values() if components.state(record) == "edited" for path in record.files}
    own = users_own(components.tree, {path for record in added for path in record.settings}, records)
    rows = [(edit.path.relative_to(components.tree.root).as_posix(), edit) for edit in addition.plan.edits]
    asked = (touched & edited) | set(own)
    confirm_diffs(ctx, [FileDiff(path, edit.replaces, edit.content) for path, edit in rows if path in asked])


def _requirements(template: Template, addition: Addition | None) -> tuple[str, ...]:
    """What a component and those that came along need, sorted, once."""
    along = () if addition is None else addition.along
    found = {written.requirement for one in along for written in one.record.dependencies}
    return tuple(sorted(found | set(template.spec.dependencies)))


def _written(components: Components, addition: Addition) -> list[str]:
    """What adding writes into the project's dependencies: what no component has brought into them already."""
    new = {one.record.name: one.record for one in (*addition.along, addition)}
    others = [record for name, record in components.added().items() if name not in new]
    brought = {(written.requirement, written.path) for record in others for written in record.dependencies}
    written = {(one.requirement, one.path) for record in new.values() for one in record.dependencies}
    return sorted({requirement for requirement, _ in written - brought})


def _would_add(components: Components, template: Template, addition: Addition | None) -> Value:
    spec = template.spec
    title = f"{template.name} {spec.version}"
    if addition is None:
        record = components.added()[template.name]
        line = f"{title} is in {record.folder} already; nothing was written"
        return Notice((line,), _json(template, None, record) | {"added": False, "installed": False})
    record = addition.record
    parts = [f"{counted(len(record.files), 'file')} to {record.folder}"]
    if written := _written(components, addition):
        into = written_into([one.record for one in (*addition.along, addition)])
        parts.append(f"{counted(len(written), 'dependency')} to {into}")
    parts += [f"settings to {', '.join(settings)}"] if (settings := _settings(addition)) else []
    lines = [f"{title} would add {' and '.join(parts)}; nothing was written"]
    lines += _kept(addition)
    lines += [f"with it, since it needs that: {one.record.name} {one.record.version}" for one in addition.along]
    detail = tuple(line for line in str(addition.plan).splitlines() if "  .mlox/" not in line)
    json = _json(template, addition, record) | {"added": False, "installed": False}
    return WouldWrite(tuple(lines), json, details=detail, files=written_by(addition.plan))


def _added(components: Components, template: Template, addition: Addition | None, record: Record) -> list[str]:
    title, count = f"{record.name} {record.version}", counted(len(record.files), "file")
    if addition is None:
        return [f"{title} is in {record.folder} already ({count}, {components.state(record)})"]
    lines = [f"{title} added to {record.folder} ({count}, yours to edit)"]
    for one in addition.along:
        files = counted(len(one.record.files), "file")
        lines.append(
            f"{one.record.name} {one.record.version} added to {one.record.folder} ({files}), since it needs that"
        )
    lines += [f"added to: {', '.join(record.extends)}"] if record.extends else []
    lines += [f"settings: {', '.join(settings)}"] if (settings := _settings(addition)) else []
    lines += _kept(addition)
    made = [str(edit["path"]) for edit in addition.plan.to_json() if edit["path"] in record.made]
    lines += [f"made: {', '.join(made)}"] if made else []
    written = _written(components, addition)
    into = written_into([one.record for one in (*addition.along, addition)])
    lines += [f"wrote: {into} ({', '.join(written)})"] if written else []
    lines += (
        [f"left as it is: {', '.join(addition.known)} is in the project's dependencies already"]
        if addition.known
        else []
    )
    lines += [
        f"{name} = {value}" for name, value in record.options.items() if value != template.spec.options[name].default
    ]
    return lines


def _settings(addition: Addition) -> list[str]:
    """The files that settings go into."""
    written = {str(edit["path"]) for edit in addition.plan.to_json()}
    records = [one.record for one in (*addition.along, addition)]
    return sorted({path for one in records for path, known in one.settings.items() if known.entries} & written)


def _kept(addition: Addition) -> list[str]:
    """A line for each setting that the user has set to another value."""
    kept = [(path, name) for one in (*addition.along, addition) for path in one.kept for name in one.kept[path]]
    return [f"left as you have it: {name} in {path}" for path, name in sorted(set(kept))]


def _how_to_import(template: Template, record: Record) -> list[str]:
    """The import, and what has to be on the path for it where that is not there yet."""
    line = f"import it: from {record.package} import {template.spec.imports}"
    path = record.folder.removesuffix(record.package.replace(".", "/")).rstrip("/")
    if not path:
        return [line]
    installed = any(entry == path or entry.endswith(f"/{path}") for entry in sys.path)
    return [line] if installed else [f"{line}    (with {path} on the path: import sys; sys.path.insert(0, {path!r}))"]


def _json(template: Template, addition: Addition | None, record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "folder": record.folder,
        "import": f"from {record.package} import {template.spec.imports}",
        "files": sorted(record.files),
        "dependencies": [written.requirement for written in record.dependencies],
        "edits": addition.plan.to_json() if addition is not None else [],
        "along": [one.record.name for one in addition.along] if addition is not None else [],
        "extends": sorted(record.extends),
        "settings": setting_names(record),
        "settings_kept": {path: list(names) for path, names in addition.kept.items()} if addition is not None else {},
    }
