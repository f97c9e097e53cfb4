"""What is wrong with what mlox keeps in a repository: components, the vault, what git is told, what was left."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mlox.components import Tree, read_records, state_of
from mlox.components.state import missing_files
from mlox.errors import MloxError
from mlox.stack.findings import Finding, found
from mlox.stack.surroundings import Surroundings
from mlox.workspace import COMMITTED, Workspace

RECIPIENTS = ".mlox/recipients"
SECRETS = ".mlox/secrets"


def component_findings(workspace: Workspace, names: Collection[str] = ()) -> Iterator[Finding]:
    """Components with files that are gone or wait for a person, or with damaged records; edits are the user's own."""
    tree = Tree(workspace.root)
    try:
        records = read_records(tree)
    except MloxError as error:
        yield found("component", "", error, file=error.problem.split()[0].rstrip(":"))
        return
    for name, record in records.items():
        word = state_of(tree, record, records) if not names or name in names else "clean"
        if word == "missing":
            gone = missing_files(tree, record)
            hint = f"Bring it back from git, forget it: mlox resolve {name} --mine, or mlox remove {name}."
            yield Finding("component", name, f"{name}: {', '.join(gone)} is gone", hint, gone[0])
        elif word == "conflict":
            left = record.unresolved
            hint = f"Settle it: mlox resolve {name} --mine, --theirs or --edit."
            yield Finding("component", name, f"{name}: an update left {', '.join(left)} to you", hint, left[0])


def component_names(workspace: Workspace) -> tuple[str, ...]:
    """The components of a workspace; none where a record is damaged, which is a finding."""
    try:
        return tuple(read_records(Tree(workspace.root)))
    except MloxError:
        return ()


def vault_findings(around: Surroundings) -> Iterator[Finding]:
    """Secrets that two branches set or that not all recipients can read, and who they are."""
    sharing = around.vault.sharing
    try:
        recipients = sharing.recipients()
        described = around.vault.describe()
        own = sharing.own()
        changes = sharing.changes()
    except MloxError as error:
        yield found("vault", "", error, file=RECIPIENTS)
        return
    recipients = tuple(each for each in recipients if each not in changes.added)  # nobody is told to let these in
    names = {"you" if each.key in own else each.name or each.short for each in recipients}
    for row in described:
        if row.heads:
            problem = f"the secret {row.name} was set on two branches, and nobody has chosen: {', '.join(row.heads)}"
            hint = f"Read one: mlox secrets get {row.name} --version ID; then decide: mlox secrets set {row.name}."
            yield Finding("vault", row.name, problem, hint, SECRETS)
        elif "unknown" not in row.readers and (locked := sorted(names - set(row.readers))):
            problem = f"the secret {row.name} cannot be read by: {', '.join(locked)}"
            yield Finding("vault", row.name, problem, f"Share it again: mlox secrets share {locked[0]}.", SECRETS)
    if described and not recipients and not changes:
        yield Finding("vault", "", "there are secrets, and nobody is named who can read them", "", RECIPIENTS)
    if changes:
        hint = "Ask who did that; the next `mlox secrets set` or `share` asks you to agree."
        yield Finding("vault", "", f"the recipients are not those that you agreed to: {changes}", hint, RECIPIENTS)


def file_findings(workspace: Workspace) -> Iterator[Finding]:
    """What git is not told of mlox's files, and what a killed process left."""
    for name, content in COMMITTED:
        path = workspace.root / name
        wanted = [line for line in content.decode().splitlines() if not line.startswith("#")]
        try:
            there = set(path.read_text("utf-8", errors="replace").splitlines())
        except FileNotFoundError:
            yield Finding("files", name, f"{name} is missing", f"Write it: {' · '.join(wanted)}.", name)
            continue
        except OSError as error:
            yield Finding("files", name, f"{name} cannot be read: {error.strerror}", "Mend its permissions.", name)
            continue
        gone = [line for line in wanted if line not in there]
        if gone:
            yield Finding("files", name, f"{name} lacks: {', '.join(gone)}", "Add these lines.", name)
    if workspace.journal.pending:
        hint = "Any verb that changes something finishes or undoes it, for example: mlox up."
        yield Finding("files", "", "an edit was cut off half-way, or goes on right now", hint, ".mlox/local/journal")
