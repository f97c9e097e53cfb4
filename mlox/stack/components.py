"""Components of a workspace: finding them, adding them to the repository, taking them out again."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence

from mlox.components import (
    Addition,
    ComponentWord,
    EditPlan,
    Place,
    Record,
    Removal,
    Template,
    Tree,
    choose_place,
    closure,
    is_at,
    newest,
    note_on,
    place_beside,
    plan_additions,
    plan_removal,
    read_records,
    refuse_changed,
    remembered,
    state_of,
)
from mlox.components.manifest import whole_name
from mlox.components.protection import refuse_protected
from mlox.components.settings import edited_settings
from mlox.errors import CommandError, RequirementError, SpecError, UnknownNameError, UsageError, WorkspaceError
from mlox.locks import Hold
from mlox.plugins import find
from mlox.protocols import Emit, Event, Published, Transport, silent
from mlox.resolve import read_option
from mlox.specs import StackSpec
from mlox.specs.model import Scalar
from mlox.stack.holding import hold_here
from mlox.stack.registries import Registries
from mlox.stack.resolving import Resolve, check_together, resolve_by_uv
from mlox.stack.stack import Stack
from mlox.values import ComponentRow

INSTALL_S = 1800


class Components:
    """The components of a stack's workspace, and those of the registries; nothing is held in memory."""

    def __init__(self, stack: Stack, resolve: Resolve = resolve_by_uv) -> None:
        self.stack = stack
        self.resolve = resolve
        self.tree = Tree(stack.workspace.root)
        self.registries = Registries(stack.workspace.root, lambda: stack.spec().registries)

    def names(self) -> tuple[str, ...]:
        """All that can be added without a namespace, sorted."""
        return self.registries.names()

    def template(self, name: str, version: str | None = None) -> Template:
        """What a registry has of that name; see :meth:`mlox.stack.registries.Registries.template`."""
        return self.registries.template(name, version)

    def near_template(self, name: str) -> Template:
        """The same, of mlox's own registry and the workspace's alone: whoever completes a line waits for no other.

        Raises:
            UnknownNameError: they have none of that name.
        """
        if name not in self.names():
            raise UnknownNameError.among("component", name, self.names())
        return self.template(name)

    def added(self) -> dict[str, Record]:
        """The components that the workspace has, by name, with what a killed process left half done finished first."""
        self.finish()
        return read_records(self.tree)

    def finish(self) -> None:
        """Finish what a killed process left half done, so that no plan is made of half a change."""
        if self.stack.workspace.journal.pending:
            with self.alone(silent):
                pass

    def state(self, record: Record) -> ComponentWord:
        """How one of them stands; a registry that is gone or broken has nothing newer."""
        return state_of(self.tree, record, read_records(self.tree), offered=newest(self._seen(record)))

    def rows(self, *names: str) -> tuple[ComponentRow, ...]:
        """A row for each component of the workspace; ``names`` chooses."""
        chosen = [record for name, record in self.added().items() if not names or name in names]
        return tuple(
            ComponentRow(one.name, one.version, self.state(one), len(one.files), tuple(one.files), self._note(one))
            for one in chosen
        )

    def _note(self, record: Record) -> str:
        """What somebody should know who has it, of its version and of settings that are not as they were written."""
        changed = [f"{name} in {path}" for path, names in edited_settings(self.tree, record).items() for name in names]
        told = [note_on(record, self._seen(record)), f"settings changed: {', '.join(changed)}" if changed else ""]
        return "; ".join(filter(None, told))

    def _seen(self, record: Record) -> tuple[Published, ...]:
        """What is known of a component's versions, without asking anybody who may be away."""
        try:
            return self.registries.seen(record.name)
        except (UnknownNameError, SpecError, WorkspaceError):
            return ()

    def plan(
        self,
        template: Template,
        *,
        to: str | None = None,
        options: Mapping[str, Scalar] | None = None,
    ) -> Addition | None:
        """What adding would write; None where the component is there already with the same version and options.

        Raises:
            MloxError: see :func:`mlox.components.plan_addition`.
            UsageError: it is there and differs.
        """
        self.stack.workspace.check_place()
        spec, records = self.stack.spec(), self.added()
        name = template.name
        chosen = dict(options or {})
        if name in records:
            _same(self.tree, records[name], template, chosen, to)
            return None
        templates = closure(template, self.registries.look_up, records)
        words = {whole_name(word, one, records) for one in templates for word in one.spec.components}
        place = place_beside(self.tree, [records[one] for one in sorted(words & records.keys())], name, to=to)
        if place is None:
            requirements = [one for each in templates for one in each.spec.dependencies]
            place = choose_place(self.tree, spec.name, requirements, to=to)
        return self.plan_along(templates, place, {template.name: chosen})

    def plan_along(
        self, templates: Sequence[Template], place: Place, chosen: Mapping[str, Mapping[str, Scalar]] | None = None
    ) -> Addition:
        """What adding components at a place would write, each after those that it needs; ``chosen``: their options."""
        spec = self.stack.spec()

        def options(one: Template) -> dict[str, Scalar]:
            return _defaults(one, spec) | dict((chosen or {}).get(one.name, {}))

        others = read_records(self.tree)
        return plan_additions(self.tree, templates, place, project=spec.name, options=options, others=others)

    def add(
        self,
        template: Template,
        *,
        to: str | None = None,
        options: Mapping[str, Scalar] | None = None,
        emit: Emit = silent,
    ) -> Addition | None:
        """Write a component into the repository, all of it or nothing; see :meth:`plan`.

        Raises:
            DependencyError: a resolver finds no versions that are all the project would depend on.
        """
        wished = self.plan(template, to=to, options=options)
        if wished is not None:
            check_together(template.spec.name, wished.together, self.resolve, emit)
        with self.alone(emit):
            addition = self.plan(template, to=to, options=options)
            if addition is not None:
                self.write(addition.plan, f"add {template.spec.name} {template.spec.version}")
            return addition

    def plan_removal(self, name: str, *, keep: bool = False) -> Removal:
        """What removing would take out.

        Raises:
            UnknownNameError: the workspace has no such component.
        """
        records = self.added()
        if name not in records:
            raise UnknownNameError.among("component", name, records, where=f"{self.stack.name}: ")
        others = {other: record for other, record in records.items() if other != name}
        return plan_removal(self.tree, records[name], others, keep=keep)

    def remove(self, name: str, *, keep: bool = False, emit: Emit = silent) -> Removal:
        """Take a component out of the repository; what was edited stays. With ``keep`` all of it stays, untracked."""
        with self.alone(emit):
            removal = self.plan_removal(name, keep=keep)
            self.write(removal.plan, f"remove {name}")
            return removal

    def write(self, plan: EditPlan, what: str) -> None:
        """Carry out a plan, all or nothing, so that it can be taken back; alone is who calls this."""
        refuse_protected(self.tree, plan.edits)
        plan = remembered(self.tree, plan, what)
        self.stack.workspace.journal.write(plan.edits, emptied=plan.emptied)

    @contextlib.contextmanager
    def alone(self, emit: Emit) -> Iterator[None]:
        """Alone among those who work on this workspace, with what a killed process left mended."""
        self.stack.init()
        with Hold(self.stack.identify(), emit=emit) as hold:
            hold_here(hold, self.stack.workspace)
            self.stack.workspace.put_ignored()
            yield


def options_of(template: Template, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """``given`` typed by the component's options.

    Raises:
        UnknownNameError: there is no such option. SpecError: a value does not fit.
    """
    spec = template.spec
    for name in given:
        if name not in spec.options:
            raise UnknownNameError.among("option", name, spec.options, where=f"{spec.name}: ")
    where = f"{spec.name}: option"
    return {k: read_option(spec.options[k], str(v), where=f"{where} {k!r}") for k, v in given.items()}


def install(requirements: tuple[str, ...], component: str, emit: Emit) -> None:
    """Install distributions into the environment of the Python that runs us; what is there and fits stays.

    Raises:
        RequirementError: no network, no version that fits, or an environment that cannot be written.
    """
    transport: Transport = find("transports", "local")()
    emit(Event(component, f"installing {', '.join(requirements)}"))
    command = (sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, "--color", "never")
    try:
        done = transport.run((*command, *requirements), timeout_s=INSTALL_S, environment={"UV_NO_PROGRESS": "1"})
    except CommandError as error:
        raise RequirementError(error.problem, hint=error.hint) from error
    if done.code != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise RequirementError(
            f"{', '.join(requirements)} cannot be installed; nothing was written\n{last}",
            hint="Mend what uv says, or leave --install out and install it yourself.",
        )
    emit(Event(component, "installed", kind="done"))


def _defaults(template: Template, stack: StackSpec) -> dict[str, Scalar]:
    """The options as they come: those that a service of the stack sets, else their defaults."""
    values = {name: option.default for name, option in template.spec.options.items()}
    there = {service.service for service in stack.services.values()}
    for name, service in template.spec.services.items():
        values |= service.sets if name in there else {}
    return {name: value for name, value in values.items() if value is not None}


def _same(tree: Tree, record: Record, template: Template, options: Mapping[str, Scalar], to: str | None) -> None:
    """Raise a :class:`UsageError` where the component is there and is not what is asked for.

    Raises:
        SpecError: the registry changed the version that is there.
    """
    refuse_changed(record, template)
    differs = [f"{k} is {record.options.get(k)}, not {v}" for k, v in options.items() if record.options.get(k) != v]
    if record.version != template.spec.version:
        differs.append(f"its version is {record.version}, not {template.spec.version}")
    if to is not None and not is_at(tree, record, to):
        differs.append(f"it is in {record.folder}")
    if differs:
        raise UsageError(
            f"{record.name} is added already, and differs: {'; '.join(differs)}",
            hint=f"The code is yours: change it there; or take it out first: mlox remove {record.name}.",
        )
