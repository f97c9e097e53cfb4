"""The verb that looks for secrets in files, notebooks and git history, and takes them out of outputs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlox.errors import DISTRIBUTION, UsageError, WorkspaceError
from mlox.values import Notice, Table, Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb

if TYPE_CHECKING:
    from mlox.scanning import Finding, Needles
    from mlox.scanning.repository import Repository

FOUND = 4
"""The exit code where something was found."""

OLDER = 20
"""How many older versions of each secret are looked for in a history: each costs a decryption and its writings."""


@verb("secrets scan", group="secrets")
def scan(
    ctx: Context,
    paths: Annotated[tuple[str, ...], "files or folders; none means the workspace"] = (),
    *,
    staged: Annotated[bool, "what git is about to commit, and nothing else: for a hook"] = False,
    no_history: Annotated[bool, "not what was committed before"] = False,
    fix: Annotated[bool, "replace the values in notebooks' outputs; sources and history stay"] = False,
    clean: Annotated[bool, "a filter for git: a notebook in, the same without values in its outputs out"] = False,
) -> Value:
    """Look for the workspace's secrets and for keys of known shapes; exit code 4 where there are some.

    A folder is looked at as git sees it, with all of its history, where older values are looked for too; a value is
    found however it is written (base64, in a URL, in JSON), and never shown. As a hook: mlox secrets scan --staged. As
    a filter, which keeps values out of what is committed: git config filter.mlox.clean "mlox secrets scan --clean", git
    config filter.mlox.required true, and the line *.ipynb filter=mlox in .gitattributes. Neither holds a secret: both
    ask the stores when they run.
    """
    from mlox.scanning import findings_in

    if clean + fix + staged > 1 or (clean and paths):
        raise UsageError("--clean, --fix and --staged are different things", hint="Give one of them.")
    root = (ctx.folder or Path()).absolute()
    needles, notes = _needles(ctx)
    if clean:
        return _filter(ctx, needles)
    found: list[Finding] = []
    looked = 0
    repository = _repository(root)
    if staged:
        if repository is None:
            raise UsageError(f"{root} is in no git repository", hint="Leave --staged out.")
        for blob in repository.staged():
            found += findings_in(blob.content, blob.path, needles)
            looked += 1
    else:
        for path in _files(root, paths):
            found += findings_in(_read(path), _shown(path, root), needles)
            looked += 1
    if fix:
        found, told = _fixed(ctx, root, found, needles)
        notes += told
    if not staged and not no_history:
        for one in _repositories(root, paths):
            found += _in_history(ctx, one, _with_older(ctx, needles))
    return _table(found, looked, notes)


def _needles(ctx: Context) -> tuple[Needles, list[str]]:
    """What to look for, and what a reader should know of it."""
    from mlox.scanning import Needles
    from mlox.scanning.shapes import Shapes
    from mlox.stack.readable import readable_secrets

    stack = ctx.stack()
    secrets = list(readable_secrets(stack))
    readable = [(name, secret) for name, secret in secrets if secret is not None]
    notes = []
    if not stack.workspace.exists:
        notes.append("no workspace here: only known shapes of keys were looked for")
    if len(readable) < len(secrets):
        closed = ", ".join(name for name, secret in secrets if secret is None)
        notes.append(f"not looked for, since you cannot open them: {closed}")
    shapes = Shapes() if Shapes.installed() else None
    if shapes is None:
        notes.append(f"known shapes of keys were not looked for: pip install '{DISTRIBUTION}[scan]'")
    return Needles(readable, shapes), notes


def _with_older(ctx: Context, needles: Needles) -> Needles:
    """The same, and what the secrets were before: what was committed then is there still."""
    from mlox.stack.readable import older_secrets

    return needles.with_older(older_secrets(ctx.stack(), OLDER))


def _filter(ctx: Context, needles: Needles) -> Value:
    """Standard input to standard output, byte for byte but for values in a notebook's outputs."""
    from mlox.scanning import scrubbed

    if ctx.front != "shell":
        raise UsageError("--clean is a filter for git", hint="In a notebook: %mlox secrets scan --fix.")
    sys.stdout.buffer.write(scrubbed(sys.stdin.buffer.read(), needles.matcher))
    sys.stdout.flush()
    return Notice((), {})


def _repository(folder: Path) -> Repository | None:
    from mlox.scanning.repository import Repository

    return Repository.around(folder)


def _repositories(root: Path, paths: Sequence[str]) -> list[Repository]:
    """The repositories of the folders that were asked for; a file is looked at as it is now."""
    folders = [root / path for path in paths if (root / path).is_dir()] if paths else [root]
    found = {one.root: one for one in map(_repository, folders) if one is not None}
    return list(found.values())


def _files(root: Path, paths: Sequence[str]) -> Iterator[Path]:
    for named in [root / path for path in paths] or [root]:
        if not named.exists():
            raise WorkspaceError(f"there is no {named}", hint="Name a file or a folder that exists.")
        if named.is_file():
            yield named
            continue
        repository = _repository(named)
        files = repository.files(named) if repository else [p for p in named.rglob("*") if ".git" not in p.parts]
        yield from sorted(path for path in files if path.is_file() and not path.is_symlink())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"cannot read {path}: {error.strerror}", hint="Mend its permissions.") from error


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _in_history(ctx: Context, repository: Repository, needles: Needles) -> list[Finding]:
    """What was ever committed; an object that held nothing is not looked at again."""
    from mlox.scanning import findings_in
    from mlox.scanning.remembering import Clean

    stack = ctx.stack()
    seen = Clean(stack.surroundings().folder, needles) if stack.workspace.exists and stack.id else None
    found: list[Finding] = []
    clean = []
    for blob in repository.history(seen.ids if seen else frozenset()):
        inside = findings_in(blob.content, blob.path, needles)
        if inside:
            found += findings_in(blob.content, blob.path, needles, commit=repository.first_commit(blob))
        else:
            clean.append(blob.id)
    if seen is not None and clean and not ctx.dry_run:
        seen.add(clean)
    return found


def _fixed(ctx: Context, root: Path, found: list[Finding], needles: Needles) -> tuple[list[Finding], list[str]]:
    """Replace the values in the outputs of notebooks, all files or none; what is left, and what was done."""
    from mlox.journal import Edit
    from mlox.scanning import findings_in, scrubbed

    edits = []
    left: list[Finding] = []
    for name in dict.fromkeys(finding.file for finding in found):
        before = _read(root / name)
        after = scrubbed(before, needles.matcher)
        if after != before:
            edits.append(Edit(root / name, after, replaces=before))
        left += findings_in(after, name, needles)
    if edits and not ctx.dry_run:
        ctx.stack().workspace.journal.write(edits)
    done = "would be replaced in the outputs of" if ctx.dry_run else "replaced in the outputs of"
    return left, [f"{done}: {_shown(edit.path, root)}" for edit in edits]


def _table(found: Sequence[Finding], looked: int, notes: Sequence[str]) -> Table:
    notes = list(notes)
    if any(not finding.commit and "output" not in finding.where for finding in found):
        notes.append("in a source or a text, only you can take it out: mlox.secrets.get(NAME) in place of the value")
    if any(finding.commit for finding in found):
        notes.append("what was committed stays in every clone: give it a new value where it is used, and keep that")
    if any(finding.version for finding in found):
        notes.append("values that have been replaced since are among it: nothing may accept them any more")
    return Table(
        ("file", "where", "kind", "name", "commit", "older version"),
        tuple((f.file, f.where, f.kind, f.name, f.commit[:12], f.version) for f in found),
        {"findings": [asdict(finding) for finding in found], "files": looked},
        detailed=frozenset({"commit", "older version"}),
        empty="nothing found",
        notes=tuple(notes),
        code=FOUND if found else 0,
    )
