"""Verbs for the registries that a workspace takes components from; those for authors are in ``publishing``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mlox.errors import MloxError, SpecError, UnknownNameError, UsageError
from mlox.values import Notice, Table, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.specs import RegistrySpec
    from mlox.stack.registries import Registries

FOLDER = "mlx-components"


@verb("registry list", group="more")
def registry_list(
    ctx: Context,
    namespace: Annotated[str | None, "a registry: list its components with their versions"] = None,
) -> Value:
    """List the registries that components come from, and whether they can be reached."""
    registries = _registries(ctx)
    if namespace is not None:
        return _contents(registries, namespace)
    rows: list[dict[str, Any]] = []
    for registry in registries.near:
        found = registry.names()
        if found or registry.name != FOLDER:
            rows.append(_row(registry.name, "folder", "", "ok", len(found)))
    for name, spec in sorted(ctx.stack().spec().registries.items()):
        try:
            rows.append(_row(name, spec.kind, spec.address, "ok", len(registries.get(name).names())))
        except MloxError as error:
            rows.append(_row(name, spec.kind, spec.address, "gone", 0, error.problem))
    return Table(
        ("name", "state", "components", "kind", "address"),
        tuple((row["name"], row["state"], _shown(row), row["kind"], row["address"]) for row in rows),
        {"registries": rows},
        notes=tuple(row["problem"] for row in rows if row["problem"]),
    )


@verb("registry add", group="more")
def registry_add(
    ctx: Context,
    namespace: Annotated[str, "what you call it: @acme"],
    address: Annotated[
        str, "https://HOST/FOLDER of a registry.json, a git repository with [@REF][#FOLDER], or a folder"
    ],
    *,
    token_env: Annotated[str | None, "the environment variable that holds the token"] = None,
    git: Annotated[bool, "the address is a git repository, though it does not end with .git"] = False,
) -> Value:
    """Write a registry into mlox.yaml, once it was reached: its components are added as @NAMESPACE/NAME."""
    from mlox.specs.naming import is_component_name
    from mlox.stack.registries import configure

    name = namespace if namespace.startswith("@") else f"@{namespace}"
    if not is_component_name(f"{name}/x"):
        raise UsageError(f"{namespace!r} cannot be a namespace", hint="For example: @acme.")
    stack = ctx.stack()
    spec = _spec(name, _placed(ctx, address), token_env, git)
    known = stack.spec().registries.get(name)
    json = {"name": name, "kind": spec.kind, "address": spec.address, "added": False}
    if known == spec:
        return Notice((f"{name} is in mlox.yaml already",), json)
    if known is not None:
        raise UsageError(
            f"{name} is {known.address} in mlox.yaml", hint=f"Take it out first: mlox registry remove {name}."
        )
    found = _registries(ctx).open(name, spec).names()
    first = f"add one: {{mlox}} add {name}/{found[0]}" if found else "it has no components yet"
    if ctx.dry_run:
        return Notice((f"{name} would be added to mlox.yaml",), {**json, "components": list(found)})
    configure(stack, name, spec, emit=ctx.emit)
    return Notice((f"{name} added to mlox.yaml", first), {**json, "added": True, "components": list(found)})


@verb("registry remove", group="more")
def registry_remove(ctx: Context, namespace: Annotated[str, "what you call it: @acme"]) -> Value:
    """Take a registry out of mlox.yaml; what was added from it stays, and can be removed."""
    from mlox.stack.registries import configure

    name = namespace if namespace.startswith("@") else f"@{namespace}"
    stack = ctx.stack()
    if name not in stack.spec().registries:
        raise UnknownNameError.among("registry", name, stack.spec().registries)
    if not ctx.dry_run:
        configure(stack, name, None, emit=ctx.emit)
    word = "would be taken" if ctx.dry_run else "taken"
    return Notice((f"{name} {word} out of mlox.yaml",), {"name": name, "removed": not ctx.dry_run})


def _contents(registries: Registries, name: str) -> Value:
    """The components of one registry."""
    near = {registry.name: registry for registry in registries.near}
    registry = near.get(name) or registries.get(name if name.startswith("@") else f"@{name}")
    found = [(one, registry.versions(one)) for one in registry.names()]
    json = [
        {"name": one, "versions": [{"version": each.version, "yanked": each.yanked} for each in versions]}
        for one, versions in found
    ]
    prefix = "" if registry.name in near else f"{registry.name}/"
    rows = tuple(
        (f"{prefix}{one}", ", ".join(f"{each.version}{' (yanked)' if each.yanked else ''}" for each in versions))
        for one, versions in found
    )
    about = {"registry": registry.name, "source": registry.source, "components": json}
    return Table(("name", "versions"), rows, about, empty=f"{registry.name} has no components")


def _row(name: str, kind: str, address: str, state: str, components: int, problem: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "address": address,
        "state": state,
        "components": components,
        "problem": problem,
    }


def _shown(row: dict[str, Any]) -> str:
    return "" if row["state"] != "ok" else f"{row['components']} component{'' if row['components'] == 1 else 's'}"


def _registries(ctx: Context) -> Registries:
    from mlox.stack import Components

    return Components(ctx.stack()).registries


def _placed(ctx: Context, address: str) -> str:
    """An address; a folder is told from the workspace's, wherever the words were typed."""
    if "://" in address or re.match(r"[^/@:]+@[^/:]+:", address) or Path(address).expanduser().is_absolute():
        return address
    if address.startswith("~"):
        return address
    here = ctx.here().absolute()
    return os.path.relpath(here / address, ctx.stack().workspace.root)


def _spec(name: str, address: str, token_env: str | None, git: bool) -> RegistrySpec:
    """What is to be written into mlox.yaml."""
    from pydantic import ValidationError

    from mlox.documents import explain
    from mlox.specs import RegistrySpec

    bare = address.partition("#")[0]
    is_git = git or re.search(r"\.git(@[^/@]*)?$", bare) or re.match(r"(ssh|file)://|[^/@:]+@[^/:]+:", bare)
    key = "git" if is_git else "url" if "://" in address else "folder"
    try:
        return RegistrySpec.model_validate({key: address, **({"token_env": token_env} if token_env else {})})
    except ValidationError as error:
        raise SpecError(explain(error, RegistrySpec, source=name).problem, hint="Nothing was written.") from error
