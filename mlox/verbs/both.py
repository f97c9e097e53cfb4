"""Verbs that take services and components alike: they edit the repository, look around, or tidy up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from mlox.errors import UnknownNameError, UsageError
from mlox.values import Notice, Table, Value
from mlox.verbs.adding import add_component
from mlox.verbs.asking import asked_for
from mlox.verbs.components import (
    catalog_rows,
    component_info,
    is_component,
    refuse_misspelt,
    remove_component,
)
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.specs import CatalogService


@verb("init", group="both")
def init(ctx: Context, name: Annotated[str | None, "the stack's name; by default the folder's"] = None) -> Value:
    """Make this folder a workspace: write mlox.yaml."""
    stack = ctx.stack(name)
    made = stack.init(dry_run=ctx.dry_run)
    spec = stack.spec()
    lines: tuple[str, ...] = (f"{spec.name}: this folder is a workspace already",)
    if made and ctx.dry_run:
        lines = (f"{spec.name}: would write mlox.yaml and .mlox/; nothing was written",)
    elif made:
        lines = (
            f"{spec.name}: this folder is now a workspace",
            "mlox.yaml and .mlox/ belong in git; data and keys do not",
        )
    json = {"name": spec.name, "id": spec.id, "path": str(stack.workspace.path), "created": made and not ctx.dry_run}
    return Notice(lines, json, details=(str(stack.workspace.path),))


@verb("add", group="both")
def add(
    ctx: Context,
    name: Annotated[str, "a service or a component of the catalog, NAME or NAME@VERSION"],
    *,
    as_: Annotated[str | None, "services: the name that it gets in the stack"] = None,
    on: Annotated[str | None, "services: the server that it is for"] = None,
    set_: Annotated[tuple[str, ...], "an option, NAME=VALUE; can be repeated"] = (),
    needs: Annotated[tuple[str, ...], "services: what meets a need, NEED=SERVICE or =embedded; can be repeated"] = (),
    to: Annotated[str | None, "components: the folder of the package that it goes into"] = None,
    up: Annotated[bool, "components: start the services that it can use, and wire it to them"] = False,
    install: Annotated[bool, "components: install its dependencies into this Python too"] = False,
    verify: Annotated[bool, "components: run its tests, and take it out again where one fails"] = False,
) -> Value:
    """Write a service into mlox.yaml, or a component's code into the repository; starts nothing."""
    from mlox.specs.naming import split_version

    if is_component(ctx, split_version(name)[0]):
        _only_for("services", name, {"--as": as_, "--on": on, "--needs": needs})
        return add_component(ctx, name, to=to, set_=set_, install=install, up=up, verify=verify)
    refuse_misspelt(ctx, name.partition("@")[0])
    _only_for("components", name, {"--to": to, "--up": up, "--install": install, "--verify": verify})
    stack = ctx.stack()
    known = stack.names()
    (added,) = stack.write((asked_for(stack, name, as_=as_, on=on, set_=set_, needs=needs),), dry_run=ctx.dry_run)
    if added in known:
        line = f"{added} is in mlox.yaml already"
    else:
        line = f"{added} would be added to mlox.yaml" if ctx.dry_run else f"{added} added to mlox.yaml"
    after = () if ctx.dry_run else (f"start it: {{mlox}} up {added}",)
    return Notice((line, *after), {"name": added, "added": added not in known and not ctx.dry_run})


@verb("remove", group="both")
def remove(
    ctx: Context,
    name: Annotated[str, "the name in the stack, or of a component"],
    *,
    keep: Annotated[bool, "components: leave the code, and stop tracking it"] = False,
) -> Value:
    """Take a service out of mlox.yaml (refused while it runs; its data stays), or a component's unedited code."""
    if is_component(ctx, name):
        return remove_component(ctx, name, keep=keep)
    _only_for("components", name, {"--keep": keep})
    ctx.stack().drop(name, dry_run=ctx.dry_run)
    line = f"{name} would be taken out of mlox.yaml" if ctx.dry_run else f"{name} taken out of mlox.yaml"
    return Notice((line,), {"name": name, "removed": not ctx.dry_run})


@verb("catalog", group="both")
def catalog(
    ctx: Context,
    query: Annotated[str | None, "words to look for"] = None,
    *,
    components: Annotated[bool, "only components"] = False,
    services: Annotated[bool, "only services"] = False,
) -> Value:
    """List what can be deployed, and what can be added to the repository."""
    words = (query or "").lower().split()
    both = components == services
    shown = ctx.stack().surroundings().catalog
    rows, found = _service_rows(shown.readable(), words) if services or both else ([], [])
    faults = shown.faults() if services or both else ()
    more, others = catalog_rows(ctx, words) if components or both else ([], [])
    return Table(
        ("name", "version", "runs on", "summary"),
        (*rows, *more),
        {"services": found, "components": others, "broken": [error.to_json() for error in faults]},
        notes=tuple(f"not in the list: {error.problem.splitlines()[0]}" for error in faults),
        empty=f"nothing in the catalog fits {query!r}" if query else "nothing in the catalog",
    )


def _service_rows(
    readable: Iterable[CatalogService], words: list[str]
) -> tuple[list[tuple[str, ...]], list[dict[str, Any]]]:
    rows: list[tuple[str, ...]] = []
    services: list[dict[str, Any]] = []
    for service in readable:
        provides = sorted(service.provides)
        text = " ".join([service.name, service.summary, *provides]).lower()
        if not all(word in text for word in words):
            continue
        rows.append((service.name, service.version, ", ".join(service.backends), service.summary))
        needs = {name: need.capability for name, need in service.needs.items()}
        services.append(
            {
                "name": service.name,
                "version": service.version,
                "summary": service.summary,
                "backends": list(service.backends),
                "provides": provides,
                "needs": needs,
            }
        )
    return rows, services


def _only_for(kind: str, name: str, given: dict[str, object]) -> None:
    """Raise a :class:`UsageError` where an option of ``kind`` was given with a name of the other kind."""
    wrong = [flag for flag, value in given.items() if value]
    if wrong:
        other = {"services": "component", "components": "service"}[kind]
        raise UsageError(f"{wrong[0]} is for {kind}, and {name} is a {other}", hint=f"Leave {wrong[0]} out.")


@verb("info", group="both")
def info(
    ctx: Context,
    name: Annotated[str, "a service or a component of the catalog, or a service of the stack"],
    *,
    markdown: Annotated[bool, "a whole page about a service, as in docs/services"] = False,
) -> Value:
    """Tell what a service is: options, ports, secrets, needs, what it offers; or what a component brings."""
    if is_component(ctx, name):
        _only_for("services", name, {"--markdown": markdown})
        return component_info(ctx, name)
    refuse_misspelt(ctx, name)
    around = ctx.stack().surroundings()
    written = around.spec.services.get(name)
    service = around.catalog.get(written.service if written else name).service
    if markdown:
        from mlox.catalog.pages import page

        text = page(service)
        return Notice(tuple(text.splitlines()), {**service.model_dump(mode="json"), "markdown": text}, verbatim=True)
    lines = [f"{service.name} {service.version}: {service.summary}", f"runs on: {', '.join(service.backends)}"]
    for option_name, option in service.options.items():
        default = "must be given" if option.default is None else f"default {option.default}"
        lines.append(f"option {option_name} ({option.type}, {default}): {option.help}")
    lines += [f"port {key}: {port.port} {port.help}".rstrip() for key, port in service.ports.items()]
    lines += [f"secret {name}.{key}: {secret.help}".rstrip(": ") for key, secret in service.secrets.items()]
    for key, need in service.needs.items():
        own = "met by itself unless wired" if need.embedded is not None else "must be provided"
        lines.append(f"need {key}: {need.capability}, {own}")
    lines += [f"provides {capability}" for capability in service.provides]
    if written:
        lines.append(f"in this stack: {name}, version {written.version}, on {written.server}")
    return Notice(tuple(lines), service.model_dump(mode="json"), details=(service.homepage,))


@verb("doctor", group="more")
def doctor(ctx: Context) -> Value:
    """Look whether this machine has what mlox needs, and say what to mend."""
    from mlox.verbs.examination import examine

    checks = examine(ctx)
    rows = tuple((check.state, check.name, check.detail) for check in checks)
    hints = tuple(f"{check.name}: {check.hint}" for check in checks if check.hint and check.state != "ok")
    json = {"checks": [{"name": c.name, "state": c.state, "detail": c.detail, "hint": c.hint} for c in checks]}
    failed = any(check.state == "fail" for check in checks)
    heading = ("state", "check", "detail")
    return Table(heading, rows, json, detailed=frozenset({"detail"}), notes=hints, code=1 if failed else 0)


@verb("clean", group="more")
def clean(ctx: Context) -> Value:
    """Remove environments and images that no service uses any more."""
    backend = ctx.stack().surroundings().backends["local"]
    leftovers = backend.leftovers()
    size = sum(item.size_bytes for item in leftovers)
    json = {"removed": [{"name": i.name, "bytes": i.size_bytes} for i in leftovers], "bytes": size}
    if not leftovers:
        return Notice(("nothing to clean",), json)
    told = f"{len(leftovers)} unused environment{'s' if len(leftovers) > 1 else ''}, {size / 1e6:.0f} MB"
    if ctx.dry_run:
        return Notice((f"would remove {told}",), {**json, "removed": []})
    ctx.confirm(f"Remove {told}?")
    for item in leftovers:
        backend.discard(item)
    return Notice((f"removed {told}",), json)


@verb("help", group="more")
def help_(
    _ctx: Context,
    words: Annotated[tuple[str, ...], "a verb"] = (),
    typed: Annotated[tuple[str, ...], "rest", "words of a line so far; lists what the last of them may become"] = (),
    *,
    completion: Annotated[str | None, "print what lets a shell complete words: bash, zsh or fish"] = None,
) -> Value:
    """Tell what a verb does and takes."""
    from mlox.verbs import find_verb
    from mlox.verbs.grammar import noun_usage, overview, usage

    if completion is not None:
        return _script(completion)
    if typed:
        return _candidates(typed)
    if not words:
        return Notice(tuple(overview().splitlines()), {"help": overview()})
    text = noun_usage(words)
    if not text:
        found, rest = find_verb(list(words))
        if rest:
            raise UnknownNameError(f"unknown verb {' '.join(words)!r}", hint=f"See: mlox help {found.name}.")
        text = usage(found)
    return Notice(tuple(text.splitlines()), {"help": text})


def _candidates(typed: tuple[str, ...]) -> Value:
    """A line a candidate, for the shells' completion."""
    from mlox.verbs.completing import Names, complete

    found = complete(typed, Names.for_line(typed))
    json = {"candidates": [{"text": one.text, "kind": one.kind, "help": one.help} for one in found]}
    return Notice(tuple(one.text for one in found), json, verbatim=True)


def _script(shell: str) -> Value:
    from mlox.verbs.shells import SCRIPTS

    if shell not in SCRIPTS:
        raise UnknownNameError.among("shell", shell, SCRIPTS)
    return Notice(tuple(SCRIPTS[shell].splitlines()), {"shell": shell, "script": SCRIPTS[shell]}, verbatim=True)
