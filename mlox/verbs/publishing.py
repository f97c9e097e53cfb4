"""Verbs for authors of components: to begin one, to look it over, to try it out, and to publish a folder of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlox.errors import UsageError, WorkspaceError
from mlox.values import Notice, Table, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.components import Template
    from mlox.components.validating import Fault
    from mlox.stack.registries import Registries

FOLDER = "mlx-components"


@verb("registry build", group="more")
def registry_build(
    ctx: Context,
    folder_: Annotated[str | None, "the folder of the components; by default the workspace's mlx-components"] = None,
    *,
    schema: Annotated[bool, "print the JSON Schema of registry.json, and write nothing"] = False,
) -> Value:
    """Write registry.json: every component of a folder with its versions, files and digests."""
    from mlox.specs.registry import json_schema
    from mlox.stack.publishing import build

    if schema:
        return Notice(tuple(json_schema().splitlines()), {"schema": json_schema()}, verbatim=True)
    path = _folder(ctx, folder_)
    built = build(path)
    same = built.text == built.before
    if not same and not ctx.dry_run:
        try:
            built.write()
        except OSError as error:
            raise WorkspaceError(f"cannot write {built.path}: {error.strerror}", hint="Make it writable.") from error
    counted = f"{len(built.components)} version{'' if len(built.components) == 1 else 's'} of components"
    word = "is right already" if same else "would be written" if ctx.dry_run else "written"
    lines = [f"{path.name}/registry.json {word}: {counted}"]
    lines += [f"changed, though its version is the same: {one}" for one in built.changed]
    if built.changed:
        lines.append("who has added such a version is told so; raise the version where it was published")
    json = {"path": str(built.path), "written": not same and not ctx.dry_run, "components": list(built.components)}
    return Notice(tuple(lines), {**json, "changed": list(built.changed)})


@verb("registry validate", group="more")
def registry_validate(
    ctx: Context,
    what: Annotated[str | None, "a folder, a component, or @NAMESPACE; by default the workspace's folder"] = None,
    *,
    strict: Annotated[bool, "take warnings for errors"] = False,
) -> Value:
    """Look for what is wrong with components before others take them; runs and changes nothing.

    Manifests, digests, files, imports and the dependencies that bring them, options, links, tests and README.
    """
    counted, faults = _validated(ctx, what)
    if strict:
        faults = tuple(replace(fault, level="error") for fault in faults)
    errors = [fault for fault in faults if fault.level == "error"]
    number = f"{counted} component{'' if counted == 1 else 's'}"
    last = f"{number}: {len(errors)} error{'' if len(errors) == 1 else 's'}, {len(faults) - len(errors)} warnings"
    return Table(
        ("level", "fault"),
        tuple((fault.level, str(fault).removeprefix("/")) for fault in faults),
        {"components": counted, "valid": not errors, "faults": [fault.to_json() for fault in faults]},
        empty="nothing is wrong",
        notes=(last,),
        code=1 if errors else 0,
    )


@verb("registry new", group="more")
def registry_new(
    ctx: Context,
    name: Annotated[str, "what it is to be called"],
    *,
    to: Annotated[str | None, "the folder of the components; by default the workspace's mlx-components"] = None,
) -> Value:
    """Begin a component: a folder with a manifest, code, a README and a test, all of which are right as they stand."""
    from mlox.components.skeleton import new_component
    from mlox.verbs.components import is_component

    files = new_component(name)
    folder = _folder(ctx, to) / name
    shown = f"{to or FOLDER}/{name}".replace("//", "/")
    if folder.exists():
        raise UsageError(f"{shown} is there already; it was left as it is", hint="Choose another name.")
    if name in ctx.stack().surroundings().catalog.names() or is_component(ctx, name):
        raise UsageError(f"mlox has a {name!r} already", hint=f"Choose another name, for example: my-{name}.")
    json = {"name": name, "path": str(folder), "files": sorted(files), "written": not ctx.dry_run}
    if ctx.dry_run:
        return Notice((f"would write {shown} ({len(files)} files); nothing was written",), json)
    try:
        _write_folder(folder, files)
    except OSError as error:
        raise WorkspaceError(f"cannot write {folder}: {error.strerror}", hint="Make it writable.") from error
    where = shown if to else name
    lines = (
        f"wrote: {shown} ({len(files)} files)",
        f"look it over: {{mlox}} registry validate {where}",
        f"try it out: {{mlox}} registry test {where}",
    )
    return Notice(lines, json)


@verb("registry test", group="more")
def registry_test(
    ctx: Context,
    name: Annotated[str, "a component, NAME or NAME@VERSION, or its folder"],
    *,
    offline: Annotated[bool, "install only what is on this machine already"] = False,
) -> Value:
    """Try a component out: add it to an empty project, install what it declares and no more, import it, run its tests.

    The project and its environment are made for that and removed again; your repository is not touched.
    """
    from mlox.stack.trying import try_component

    registries, template = _template(ctx, name)
    if ctx.dry_run:
        return Notice((f"would try {template.name} {template.spec.version} out; nothing was done",), {"steps": []})
    steps = try_component(template, registries, offline=offline, emit=ctx.emit)
    failed = [step for step in steps if step.state == "failed"]
    return Table(
        ("state", "step", "detail"),
        tuple((step.state, step.step, step.detail.splitlines()[-1] if step.detail else "") for step in steps),
        {"name": template.name, "version": template.spec.version, "steps": [asdict(step) for step in steps]},
        detailed=frozenset({"detail"}),
        notes=tuple(f"{step.step}: {step.detail}" for step in failed),
        code=1 if failed else 0,
    )


def _registries(ctx: Context) -> Registries:
    from mlox.stack import Components

    return Components(ctx.stack()).registries


def _template(ctx: Context, word: str) -> tuple[Registries, Template]:
    """The component that a word means, and where those that it needs come from: mlox's own, or beside it."""
    from mlox.components import Template
    from mlox.specs.naming import split_version
    from mlox.stack.registries import Registries

    path = _folder(ctx, word)
    if (path / "component.yaml").is_file():
        beside = Registries(ctx.stack().workspace.root, dict, folder=path.parent)
        registry = beside.near[-1]
        return beside, Template.parse(path.name, registry.read(path.name), source=registry.source)
    name, version, exact = split_version(word)
    registries = _registries(ctx)
    return registries, registries.template(name, version if exact else None)


def _validated(ctx: Context, what: str | None) -> tuple[int, tuple[Fault, ...]]:
    """What is wrong with a folder, a registry of the workspace, or one component of either."""
    from mlox.specs.naming import split_name
    from mlox.stack.publishing import validate, validate_folder, validate_one

    path = _folder(ctx, what)
    own = ctx.stack().workspace.root / FOLDER
    if (path / "component.yaml").is_file():
        return validate_one(path, hidden=path.parent == own)
    if what is None or path.is_dir():
        if not path.is_dir():
            raise UsageError(f"there is no folder {FOLDER}", hint="Begin a component: mlox registry new NAME.")
        return validate_folder(path, hidden=path == own)
    registries = _registries(ctx)
    namespace, name = split_name(what)
    if what.startswith("@") and not namespace:
        registry = registries.get(what)
        return validate(registry, registry.names())
    if namespace:
        return validate(registries.get(namespace), (name,))
    registries.versions(what)  # there is one of that name
    registry = next(one for one in registries.near if what in one.names())
    return validate(registry, (what,), hidden=registry.name == FOLDER)


def _folder(ctx: Context, folder: str | None) -> Path:
    """A folder, from where the words were typed; by default the workspace's own."""
    if folder is None:
        return ctx.stack().workspace.root / FOLDER
    return Path(os.path.normpath(ctx.here() / Path(folder).expanduser())).absolute()


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """All of it or nothing: beside its place first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path, content in files.items():
            target = staged / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        staged.chmod(0o755)
        staged.rename(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
