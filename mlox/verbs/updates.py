"""The verbs for components that are there: how they differ, what is new, what both changed, and taking back."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mlox.errors import RequirementError, SpecError, UnknownNameError, UsageError, WorkspaceError
from mlox.values import Value
from mlox.values.differences import Differences, WouldWrite, differing, written_by
from mlox.verbs.asking import confirm_diffs
from mlox.verbs.components import assignments
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.components import Record, Template
    from mlox.components.changes import Change
    from mlox.components.updating import Update
    from mlox.components.views import View
    from mlox.stack.component_changes import Changes

_TOLD = {
    "updated": "updated",
    "merged": "merged with your edits",
    "added": "new",
    "removed": "removed, upstream has it no more",
    "kept": "kept, since you edited it; upstream has it no more",
    "gone": "left out, since you deleted it; upstream changed it",
    "conflict": "CONFLICT, yours is kept",
}


@verb("diff", group="components")
def diff(
    ctx: Context,
    name: Annotated[str, "a component of this repository"],
    *,
    incoming: Annotated[bool, "what upstream changed since"] = False,
    result: Annotated[bool, "what an update would make of your files"] = False,
    formatting: Annotated[bool, "show differences of formatting too"] = False,
    exit_code: Annotated[bool, "exit with 4 where something differs"] = False,
) -> Value:
    """Show what you changed in a component; formatting does not count. Writes nothing."""
    if incoming and result:
        raise UsageError("--incoming and --result are two views", hint="Ask for one of them.")
    view: View = "incoming" if incoming else "result" if result else "mine"
    changes = _changes(ctx)
    template = None if view == "mine" else _offered(changes, name)
    found = differing(changes.diff(name, view, template, formatting=formatting))
    titles = {
        "mine": "you changed nothing in",
        "incoming": "nothing is new in",
        "result": "an update changes nothing in",
    }
    before = () if found else (f"{titles[view]} {name}",)
    return Differences(found, before, json={"name": name, "view": view}, code=4 if found and exit_code else 0)


@verb("update", group="components")
def update(
    ctx: Context,
    name: Annotated[str | None, "a component, NAME or NAME@VERSION; none means all of this repository"] = None,
    *,
    set_: Annotated[tuple[str, ...], "an option, NAME=VALUE; can be repeated"] = (),
) -> Value:
    """Bring a component to its newest version, or the named one; your edits stay, what both changed is left to you.

    Your own files are shown as they will be, and asked about, before anything is written into them.
    """
    from mlox.specs.naming import split_version
    from mlox.stack import options_of

    changes = _changes(ctx)
    word, version, exact = split_version(name or "")
    chosen = [word] if word else sorted(changes.components.added())
    if set_ and not word:
        raise UsageError("--set needs the name of a component", hint="For example: mlox update NAME --set NAME=VALUE.")
    lines: list[str] = []
    rows: list[dict[str, Any]] = []
    files: dict[str, tuple[str, ...]] = {}
    open_ = 0
    for one in chosen:
        template = _offered(changes, one, version if exact else None)
        options = options_of(template, assignments(set_))
        before = changes.components.added()[one]
        planned = changes.plan_update(one, template, options=options)
        if planned is None:
            lines.append(f"{one} {before.version} is up to date")
            rows.append(_row(before, None))
            continue
        if ctx.dry_run:
            files |= written_by(planned.plan)
        else:
            _ask(ctx, changes, planned)
            planned = changes.update(one, template, options=options, emit=ctx.emit) or planned
        open_ += len(planned.conflicts)
        lines += _told(before, planned, ctx.dry_run)
        rows.append(_row(before, planned))
    json = {"components": rows, "written": not ctx.dry_run and any(row["files"] for row in rows)}
    told = tuple(lines) or ("there are no components in this repository",)
    return WouldWrite(told, json, code=3 if open_ else 0, waits=True, files=files)


@verb("resolve", group="components")
def resolve(
    ctx: Context,
    name: Annotated[str, "a component of this repository"],
    *,
    mine: Annotated[bool, "keep your version of what both changed"] = False,
    theirs: Annotated[bool, "take upstream's version of what both changed"] = False,
    edit: Annotated[bool, "write it yourself, in your editor ($VISUAL or $EDITOR)"] = False,
) -> Value:
    """Settle what an update left to you: what both sides changed, and files that you deleted."""
    if [mine, theirs, edit].count(True) != 1:
        raise UsageError("resolve needs to know how", hint=f"Say one of: mlox resolve {name} --mine, --theirs, --edit.")
    changes = _changes(ctx)
    side = "theirs" if theirs else "mine"
    edited = _edited(ctx, changes, name) if edit and not ctx.dry_run else None
    if ctx.dry_run:
        resolution = changes.plan_resolution(name, "theirs" if theirs else "mine")
    else:
        resolution = changes.resolve(name, "theirs" if theirs else "mine", edited, emit=ctx.emit)
    verb_ = "would be settled" if ctx.dry_run else "settled"
    word = "as you wrote it" if edit else f"with {'yours' if side == 'mine' else 'upstream'}"
    json = {"name": name, "files": list(resolution.files), "edits": resolution.plan.to_json()}
    files = written_by(resolution.plan) if ctx.dry_run else {}
    return WouldWrite(tuple(f"{path}: {verb_} {word}" for path in resolution.files), json, files=files)


@verb("undo", group="components")
def undo(ctx: Context) -> Value:
    """Take the last change to components back: an add, an update, a remove or a resolve."""
    changes = _changes(ctx)
    planned = changes.plan_undo()
    if not ctx.dry_run:
        ctx.confirm(f"Take back: {planned.what}?")
        planned = changes.undo(emit=ctx.emit)
    rows = [row for row in planned.plan.to_json() if not str(row["path"]).startswith(".mlox/")]
    lines = [f"{'would take' if ctx.dry_run else 'took'} back: {planned.what}"]
    lines += [f"{row['kind']}  {row['path']}" for row in rows]
    json = {"what": planned.what, "edits": rows, "written": not ctx.dry_run}
    return WouldWrite(tuple(lines), json, files=written_by(planned.plan) if ctx.dry_run else {})


def _changes(ctx: Context) -> Changes:
    from mlox.stack import Components
    from mlox.stack.component_changes import Changes

    return Changes(Components(ctx.stack()))


def _offered(changes: Changes, name: str, version: str | None = None) -> Template:
    """What a registry has of a component of this repository, in one version or its newest."""
    added = changes.components.added()
    if name not in added:
        raise UnknownNameError.among("component", name, added, where=f"{changes.components.stack.name}: ")
    try:
        return changes.components.template(name, version)
    except (UnknownNameError, SpecError, WorkspaceError) as error:
        if version is not None and isinstance(error, UnknownNameError):
            raise
        raise RequirementError(
            f"{name} came from {added[name].source}, which does not have it any more: {error.problem}",
            hint=f"Your code is whole. See what you changed: mlox diff {name}.",
        ) from error


def _ask(ctx: Context, changes: Changes, planned: Update) -> None:
    """Show what an update writes into files that the user has edited, and ask; new and untouched files need no yes."""
    from mlox.components.views import outcome

    touched = {change.path for change in planned.changes if change.word in ("merged", "conflict", "kept")}
    confirm_diffs(ctx, [one for one in outcome(changes.tree, planned) if one.path in touched])


def _told(before: Record, planned: Update, dry_run: bool) -> list[str]:
    """What an update did, a line for each file that it changed or left."""
    name, after = before.name, planned.record
    versions = f"{before.version} → {after.version}" if before.version != after.version else after.version
    lines = [f"{name} {versions}{': would be' if dry_run else ''}{'' if planned.changes else ': no file changes'}"]
    if planned.along is not None:
        lines += [f"  {one.record.name} added, since it needs that" for one in (*planned.along.along, planned.along)]
    lines += [f"  {change.path}: {_TOLD[change.word]}{_why(change)}" for change in planned.changes]
    lines += [f"  still named in: {use}" for use in planned.uses]
    if any(change.word == "conflict" for change in planned.changes):
        lines.append(f"settle it: {{mlox}} resolve {name} --mine, --theirs or --edit")
    elif any(change.word == "gone" for change in planned.changes):
        lines.append(f"forget it: {{mlox}} resolve {name} --mine    have it back: {{mlox}} resolve {name} --theirs")
    return [*lines, *(() if dry_run else ("take it back: {mlox} undo",))]


def _why(change: Change) -> str:
    moved = f" (was {change.before})" if change.before else ""
    told = (one.key if change.word == "conflict" else f"{one.key}: {one.reason}" for one in change.conflicts)
    keys = ", ".join(dict.fromkeys(told))
    return f"{moved} ({keys})" if keys else moved


def _row(before: Record, planned: Update | None) -> dict[str, Any]:
    """One component of the JSON: from which version to which, what became of each file, and who names what is gone."""
    changes = () if planned is None else planned.changes
    files = [
        {
            "path": change.path,
            "state": change.word,
            "before": change.before or None,
            "conflicts": [{"key": one.key, "reason": one.reason} for one in change.conflicts],
            "rules": [{"rule": one.rule, "key": one.key} for one in change.applied],
        }
        for change in changes
    ]
    to = before.version if planned is None else planned.record.version
    uses = [] if planned is None else [use.to_json() for use in planned.uses]
    return {"name": before.name, "from": before.version, "to": to, "files": files, "uses": uses}


def _edited(ctx: Context, changes: Changes, name: str) -> dict[str, bytes]:
    """Each open file as a person wrote it in an editor."""
    from mlox.components.resolving import open_files, with_markers

    record = changes.components.added().get(name)
    if record is None:
        raise UnknownNameError.among("component", name, changes.components.added())
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor or not ctx.interactive:
        raise UsageError(
            "--edit opens your editor, and there is none here",
            hint=f"Set EDITOR and run it in a terminal, or edit the file and say: mlox resolve {name} --mine",
        )
    edited = {}
    with tempfile.TemporaryDirectory(prefix="mlox-resolve-") as folder:
        for path in open_files(changes.tree, record):
            copy = Path(folder) / Path(path).name
            copy.write_bytes(with_markers(changes.tree, record, path))
            done = subprocess.run([*shlex.split(editor), str(copy)], check=False)
            if done.returncode:
                raise UsageError(f"{editor} ended with {done.returncode}; nothing was settled", hint="Try again.")
            edited[path] = copy.read_bytes()
    return edited
