"""Which components come along with one, in which versions and in which order. Pure: what there is, it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet

from mlox.components.manifest import Template
from mlox.components.records import Record
from mlox.errors import SpecError, UnknownNameError
from mlox.specs import ROOT

MAX_COMPONENTS = 100
MAX_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of a component that could come along; ``load`` reads it, and is called only where it is tried."""

    name: str
    version: str
    load: Callable[[], Template]


LookUp = Callable[[str, Template], Sequence[Offer]]
"""Answers for a name in the manifest of a template: what is on offer, newest first.

The name of an offer is the whole one: ``base``, asked for by ``@acme/limits``, may be ``@acme/base``. Where there is
none, it raises an :class:`~mlox.errors.UnknownNameError`.
"""


def closure(root: Template, look_up: LookUp, present: Mapping[str, Record]) -> tuple[Template, ...]:
    """What has to be added so that ``root`` can be: those that it needs first, ``root`` last.

    ``present`` are the components of the workspace: they count in the version that they have, and are not in the
    answer. Of the others the newest version is taken that everybody's range admits. ``root`` may be present itself (an
    update): then what is there of it does not count.

    Raises:
        SpecError: two ranges exclude each other; the problem says who asked for which. Or components need each other
            in a circle; the problem tells it. Or one extends a module that none of its components has.
        UnknownNameError: nothing has a component of that name; the problem says who asked.

    Example:
        >>> from mlox.specs import ComponentSpec
        >>> def component(name, **needs):
        ...     spec = ComponentSpec(
        ...         name=name, version="1.0", summary="x", package=name, imports="x", files=["__init__.py"],
        ...         components=needs,
        ...     )
        ...     return Template(spec, {}, "here")
        >>> known = {"app": component("app"), "limits": component("limits", app=">=1")}
        >>> def look_up(name, by):
        ...     return [Offer(name, known[name].spec.version, lambda: known[name])]
        >>> [template.name for template in closure(component("caching", limits="", app="<2"), look_up, {})]
        ['app', 'limits', 'caching']
    """
    there = {name: record for name, record in present.items() if name != root.name}
    search = _Search(look_up, there, root)
    chosen = search.from_here({root.name: root}, search.asked_by(root), 0)
    order = _ordered(root, chosen)
    for template in order:
        _check_extended(template, chosen, there)
    return order


@dataclass(frozen=True, slots=True)
class _Ask:
    """That ``by`` needs ``name`` in ``versions``; ``word`` is how its manifest calls it."""

    name: str
    word: str
    versions: SpecifierSet
    by: Template

    def __str__(self) -> str:
        return f"{_told(self.by)} needs {self.name} {self.versions or 'in any version'}"

    def admits(self, version: str) -> bool:
        """Whether that version is one of those."""
        return self.versions.contains(version, prereleases=True)


class _ConflictError(SpecError):
    """This choice of versions leads nowhere; another one may."""


@dataclass(slots=True)
class _Search:
    """The search for versions that fit together: depth first, newest first, back where it gets stuck."""

    look_up: LookUp
    present: Mapping[str, Record]
    root: Template
    tries: int = 0
    looked_up: dict[tuple[str, str], Sequence[Offer]] = field(default_factory=dict)

    def from_here(self, chosen: Mapping[str, Template], asks: tuple[_Ask, ...], at: int) -> Mapping[str, Template]:
        """``chosen`` with what all of ``asks`` from the ``at``-th on need, and what these need."""
        for place in range(at, len(asks)):
            ask = asks[place]
            fixed = self._fixed(ask, chosen)
            if fixed is None:
                return self._any_of(chosen, asks, place)
            if not ask.admits(fixed):
                raise self._excluded(ask, fixed, chosen, asks)
        return chosen

    def asked_by(self, template: Template) -> tuple[_Ask, ...]:
        """What a template needs, by whole names, sorted."""
        needs = template.spec.components
        return tuple(_Ask(self._whole(one, template), one, SpecifierSet(needs[one]), template) for one in sorted(needs))

    def _any_of(self, chosen: Mapping[str, Template], asks: tuple[_Ask, ...], at: int) -> Mapping[str, Template]:
        """Go on with the newest version that fits and leads to an end."""
        name = asks[at].name
        everybody = [ask for ask in asks if ask.name == name]
        offers = self._look(asks[at].word, asks[at].by)
        fitting = [offer for offer in offers if all(ask.admits(offer.version) for ask in everybody)]
        if not fitting:
            there = ", ".join(offer.version for offer in offers) or "none that may be taken"
            raise _ConflictError(
                f"no version of {name} is right for all: {'; '.join(map(str, everybody))}; there is: {there}",
                hint="Take other versions of those who ask, or widen a range.",
            )
        failed: list[SpecError] = []
        for offer in fitting:
            self._count(chosen)
            template = offer.load()
            try:
                return self.from_here({**chosen, name: template}, (*asks, *self.asked_by(template)), at + 1)
            except _ConflictError as error:
                failed.append(error)
        raise failed[0]

    def _count(self, chosen: Mapping[str, Template]) -> None:
        self.tries += 1
        if self.tries > MAX_TRIES or len(chosen) >= MAX_COMPONENTS:
            raise SpecError(
                f"{_told(self.root)} brings more than {MAX_COMPONENTS} components, or they exclude each other in more "
                f"than {MAX_TRIES} ways",
                hint="Add what it needs one by one, each with its version.",
            )

    def _fixed(self, ask: _Ask, chosen: Mapping[str, Template]) -> str | None:
        """The version that cannot be chosen any more: of the workspace, or since somebody asked before."""
        if ask.name in self.present:
            return self.present[ask.name].version
        return chosen[ask.name].spec.version if ask.name in chosen else None

    def _excluded(
        self, ask: _Ask, fixed: str, chosen: Mapping[str, Template], asks: tuple[_Ask, ...]
    ) -> _ConflictError:
        if ask.name in self.present:
            return _ConflictError(
                f"{ask}, and this repository has {ask.name} {fixed}", hint=f"Update it first: mlox update {ask.name}."
            )
        others = [str(other) for other in asks if other.name == ask.name and other is not ask]
        why = "; ".join(others) or f"{_told(chosen[ask.name])} is what is added"
        return _ConflictError(
            f"no version of {ask.name} is right for all: {why}; {ask}",
            hint="Take other versions of those who ask, or widen a range.",
        )

    def _whole(self, name: str, by: Template) -> str:
        """The whole name of what a manifest names: what is there counts, also where its registry is gone."""
        near = f"{by.namespace}/{name}" if by.namespace and not name.startswith("@") else name
        for one in (name, near):
            if one in self.present or one == self.root.name:
                return one
        offers = self._look(name, by)
        return offers[0].name if offers else name

    def _look(self, name: str, by: Template) -> Sequence[Offer]:
        key = (name, by.namespace)
        if key not in self.looked_up:
            try:
                self.looked_up[key] = self.look_up(name, by)
            except UnknownNameError as error:
                raise UnknownNameError(
                    f"{_told(by)} needs {name}, and there is no such component", hint=error.hint
                ) from error
        return self.looked_up[key]


def _ordered(root: Template, chosen: Mapping[str, Template]) -> tuple[Template, ...]:
    """Those that are needed first; among equals by name, so that the order is nobody's who asked."""
    order: dict[str, Template] = {}
    path: list[str] = []

    def visit(template: Template) -> None:
        if template.name in order:
            return
        if template.name in path:
            circle = [*path[path.index(template.name) :], template.name]
            raise SpecError(
                f"components need each other in a circle: {' → '.join(circle)}",
                hint="Take one of these out of a manifest's components.",
            )
        path.append(template.name)
        for name in sorted(template.spec.components):
            found = _chosen_for(name, template, chosen)
            if found is not None:
                visit(found)
        path.pop()
        order[template.name] = template

    visit(root)
    return tuple(order.values())


def _chosen_for(name: str, by: Template, chosen: Mapping[str, Template]) -> Template | None:
    return chosen.get(name) or chosen.get(f"{by.namespace}/{name}")


def _check_extended(template: Template, chosen: Mapping[str, Template], present: Mapping[str, Record]) -> None:
    """Raise where a template adds to a module that is none of its components': to one of the user's own."""
    modules: set[str] = set()
    for name in template.spec.components:
        found = _chosen_for(name, template, chosen)
        record = present.get(name) or present.get(f"{template.namespace}/{name}")
        if found is not None:
            modules |= {f"{found.spec.package}/{path}" for path in found.spec.files}
        elif record is not None:
            modules |= {file.template.removeprefix(f"src/{ROOT}/") for file in record.files.values()}
    for path in template.spec.extends:
        if path not in modules:
            raise SpecError(
                f"{_told(template)} adds to {path}, which none of its components has",
                hint="Name the component that has it below components, with a version that does.",
            )


def _told(template: Template) -> str:
    return f"{template.name} {template.spec.version}"
