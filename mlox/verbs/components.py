"""What add, remove, info and catalog do with components: source code that goes into the user's repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlox.errors import SpecError, UnknownNameError, UsageError, nearest
from mlox.values import Notice, Value
from mlox.values.differences import WouldWrite, written_by
from mlox.verbs.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlox.components import Record, Removal, Template
    from mlox.stack import Components


def is_component(ctx: Context, name: str) -> bool:
    """Whether a registry, or the workspace, has a component of that name.

    Raises:
        SpecError: a service of the catalog has the same name.
    """
    from mlox.specs.naming import split_name

    components = _components(ctx)
    if name.startswith("@"):  # only components have a namespace; what is in there is asked when it is needed
        return name in components.added() or bool(components.registries.get(split_name(name)[0]))
    if name not in components.names():
        return name in components.added()
    if name in components.stack.surroundings().catalog.names():
        raise SpecError(
            f"{name} is a service of the catalog and a component too",
            hint="Give the folder in mlx-components another name.",
        )
    return True


def refuse_misspelt(ctx: Context, name: str) -> None:
    """Raise an :class:`UnknownNameError` for a name that is near to a component's, and to no service's."""
    stack = ctx.stack()
    services = {*stack.surroundings().catalog.names(), *stack.names()}
    known = _components(ctx).names()
    if name not in services and not nearest(name, services) and nearest(name, known):
        raise UnknownNameError.among("component", name, known)


def refuse_components(ctx: Context, names: tuple[str, ...], verb: str) -> None:
    """Raise a :class:`UsageError` where one of ``names`` is a component: there is nothing of it that runs."""
    from mlox.specs.naming import split_version

    plain = [split_version(word)[0] for word in names]
    services = {*ctx.stack().names(), *ctx.stack().surroundings().catalog.names()} if plain else set()
    for name in plain:
        own = ctx.stack().workspace.root / "mlx-components" / name
        if (name not in services or own.is_dir()) and is_component(ctx, name):
            raise UsageError(
                f"{name} is a component, source code for your repository: {verb} is for services",
                hint=f"To add it: mlox add {name}. To take it out: mlox remove {name}.",
            )


def remove_component(ctx: Context, name: str, *, keep: bool) -> Value:
    """Take a component out of the repository."""
    components = _components(ctx)
    if name not in components.added():
        raise UsageError(f"{name} is not in this repository", hint=f"Add it: mlox add {name}.")
    record = components.added()[name]
    removal = (
        components.plan_removal(name, keep=keep) if ctx.dry_run else components.remove(name, keep=keep, emit=ctx.emit)
    )
    json = {
        "name": name,
        "removed": not ctx.dry_run,
        "files": list(removal.removed),
        "kept": list(removal.kept),
        "dependencies": list(removal.dependencies),
        "needed": [{"requirement": one, "file": path} for one, path in sorted(removal.needed.items())],
        "uses": [use.to_json() for use in removal.uses],
        "settings": {path: list(names) for path, names in removal.settings.items()},
        "settings_kept": {path: list(names) for path, names in removal.changed.items()},
        "edits": removal.plan.to_json(),
    }
    left = 3 if removal.kept or removal.changed else 0
    lines = tuple(_removed(record, removal, keep, ctx.dry_run))
    return WouldWrite(lines, json, code=left, waits=True, files=written_by(removal.plan) if ctx.dry_run else {})


def component_info(ctx: Context, name: str) -> Value:
    """Tell what a component is: files, dependencies, options, services, environment."""
    components = _components(ctx)
    template, record = components.template(name), components.added().get(name)
    spec = template.spec
    lines = [f"{spec.name} {spec.version}: {spec.summary}", f"a component: source code, from {template.source}"]
    lines += [f"file {path}" for path in spec.files] + [f"test {path}" for path in spec.tests]
    lines += [f"dependency {requirement}" for requirement in spec.dependencies]
    lines += [f"its tests need {requirement}" for requirement in spec.test_dependencies]
    for key, option in spec.options.items():
        choices = f", one of {', '.join(map(str, option.choices))}" if option.choices else ""
        lines.append(f"option {key} ({option.type}, default {option.default}{choices}): {option.help}")
    lines += [f"service {key}, where the stack has it: {service.help}" for key, service in spec.services.items()]
    lines += [f"environment {key}: {text}" for key, text in spec.environment.items()]
    lines += [f"settings in {path}" for path in spec.settings]
    if record is not None:
        lines.append(f"in this repository: {record.folder}, version {record.version}, {components.state(record)}")
        lines += [f"set in {path}: {', '.join(names)}" for path, names in setting_names(record).items() if names]
    return Notice(tuple(lines), spec.model_dump(mode="json"), details=(spec.homepage,))


def catalog_rows(ctx: Context, words: list[str]) -> tuple[list[tuple[str, ...]], list[dict[str, Any]]]:
    """The components in which all of ``words`` occur, as rows of a table and as JSON."""
    components = _components(ctx)
    specs = [template.spec for name in components.names() if (template := _offered(components, name)) is not None]
    found = [spec for spec in specs if all(word in f"{spec.name} {spec.summary}".lower() for word in words)]
    rows: list[tuple[str, ...]] = [(spec.name, spec.version, "your repository", spec.summary) for spec in found]
    json: list[dict[str, Any]] = [
        {"name": spec.name, "version": spec.version, "summary": spec.summary, "services": list(spec.services)}
        for spec in found
    ]
    return rows, json


def _offered(components: Components, name: str) -> Template | None:
    """What adding would take; None where every version was yanked."""
    try:
        return components.template(name)
    except UsageError:
        return None


def _components(ctx: Context) -> Components:
    from mlox.stack import Components

    return Components(ctx.stack())


def assignments(texts: tuple[str, ...]) -> dict[str, str]:
    """The options that ``--set`` gave, by name."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}", hint="For example: --set online_store=redis.")
        values[name] = value
    return values


def _removed(record: Record, removal: Removal, keep: bool, dry_run: bool) -> list[str]:
    title = f"{record.name} {record.version}"
    if keep:
        word = "would not be tracked any more" if dry_run else "is not tracked any more"
        return [f"{title} {word}; left in {record.folder}: {counted(len(record.files), 'file')}"]
    verb = "would be taken out of" if dry_run else "taken out of"
    lines = [f"{title} {verb} {record.folder} ({counted(len(removal.removed), 'file')})"]
    gone = ", ".join(sorted(removal.dependencies))
    lines += [f"out of {written_into([record])}: {gone}"] if gone else []
    lines += [
        f"stays in {written_into([record])}: {one}, since {path} imports it"
        for one, path in sorted(removal.needed.items())
    ]
    lines += [f"kept, since you edited it: {path}" for path in removal.kept]
    lines += [f"settings out of {path}: {', '.join(names)}" for path, names in removal.settings.items()]
    lines += [f"kept in {path}, since you changed it: {', '.join(names)}" for path, names in removal.changed.items()]
    lines += [f"still named in: {use}" for use in removal.uses]
    return lines


def written_into(records: Iterable[Record]) -> str:
    """The files that the dependencies of components stand in."""
    return ", ".join(dict.fromkeys(written.path for record in records for written in record.dependencies))


def setting_names(record: Record) -> dict[str, list[str]]:
    """The settings that were written for a component, by file."""
    from mlox.components.settings import Setting

    return {
        path: sorted(Setting(tuple(one.keys), one.digest).name for one in known.entries if one.digest)
        for path, known in sorted(record.settings.items())
    }


def counted(number: int, noun: str) -> str:
    """A number of things: ``1 file``, ``2 dependencies``."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else many}"
