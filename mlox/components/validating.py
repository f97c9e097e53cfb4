"""What is wrong with a component that somebody is about to publish. Pure: the texts are read, nothing is run."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from packaging.specifiers import SpecifierSet

from mlox.components.imports import Import, bringers, imports_of
from mlox.components.manifest import Template, code_path, fragment_path, test_path
from mlox.components.rewriting import rewritten
from mlox.errors import SpecError
from mlox.specs import ROOT, ComponentSpec

_LINK = re.compile(r"\]\(<?([^)>#:\s]+)(?:#[^)\s]*)?>?(?:\s+\"[^\"]*\")?\)")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something to mend: an ``error`` must be, a ``warning`` should be. ``line`` is 0 for a whole file."""

    level: Literal["error", "warning"]
    component: str
    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.component}/{self.file}{f':{self.line}' if self.line else ''}: {self.problem}"

    def to_json(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Around:
    """What a component is looked at in: the others by name, each with its versions, newest first.

    ``installed`` says which distributions have a top-level module here; ``taken`` are names that mean something else,
    and ``hidden`` says whether that keeps a component of such a name from being found.
    """

    others: Mapping[str, Sequence[ComponentSpec]]
    installed: Callable[[], Mapping[str, Sequence[str]]]
    taken: Mapping[str, str]
    hidden: bool = False


def faults_of(template: Template, folder: Sequence[str], around: Around) -> Iterator[Fault]:
    """All that is wrong with one version of a component; ``folder`` are all files that lie in its folder."""
    spec = template.spec
    manifest = "component.yaml"
    if spec.name in around.taken:
        level: Literal["error", "warning"] = "error" if around.hidden else "warning"
        yield Fault(level, spec.name, manifest, 0, f"the name is taken: {around.taken[spec.name]}")
    yield from _files(template, folder)
    needed = dict(_needed(spec, around))
    for name, found in needed.items():
        if isinstance(found, str):
            yield Fault("error", spec.name, manifest, 0, f"components: {name}: {found}")
    known = {name: found for name, found in needed.items() if isinstance(found, ComponentSpec)}
    yield from _extended(spec, known)
    yield from _code(template, known, around)
    yield from _options(template)
    yield from _links(template)


def _files(template: Template, folder: Sequence[str]) -> Iterator[Fault]:
    spec, manifest = template.spec, "component.yaml"
    for path in sorted(set(folder) - set(template.files)):
        yield Fault("warning", spec.name, path, 0, "the manifest does not list it, so nobody gets it")
    if not spec.tests:
        yield Fault("warning", spec.name, manifest, 0, "there are no tests")
    if not any(path.lower() == "readme.md" for path in spec.files):
        yield Fault("warning", spec.name, manifest, 0, "there is no README.md among the files")


def _needed(spec: ComponentSpec, around: Around) -> Iterator[tuple[str, ComponentSpec | str]]:
    """Each component that this one needs: the newest in range, or what is wrong."""
    for name, versions in spec.components.items():
        offered = around.others.get(name, ())
        if name.startswith("@"):
            yield name, "a namespace is the user's own name for a registry; name what is in this one, or mlox's own"
            continue
        fitting = [one for one in offered if SpecifierSet(versions).contains(one.version, prereleases=True)]
        if fitting:
            yield name, fitting[0]
        else:
            there = ", ".join(one.version for one in offered) or "none"
            yield name, f"no version is {versions or 'there'}; there is: {there}"


def _extended(spec: ComponentSpec, known: Mapping[str, ComponentSpec]) -> Iterator[Fault]:
    modules = {f"{one.package}/{path}" for one in known.values() for path in one.files}
    for path in spec.extends:
        if path not in modules:
            yield Fault(
                "error", spec.name, fragment_path(path), 0, "none of its components has the module that it extends"
            )


def _code(template: Template, known: Mapping[str, ComponentSpec], around: Around) -> Iterator[Fault]:
    spec = template.spec
    packages = {spec.package, *(one.package for one in known.values())}
    parts = [(code_path(spec, path), f"{spec.package}/{path}", spec.dependencies) for path in spec.files]
    parts += [(fragment_path(path), path, spec.dependencies) for path in spec.extends]
    tested = [*spec.dependencies, *spec.test_dependencies, "pytest"]
    parts += [(test_path(path), "", tested) for path in spec.tests]
    for path, below, requirements in parts:
        if not path.endswith(".py"):
            continue
        try:
            found = imports_of(template.files[path].decode("utf-8"))
        except SyntaxError as error:
            yield Fault("error", spec.name, path, error.lineno or 0, f"no Python: {error.msg}")
            continue
        except ValueError:
            yield Fault("error", spec.name, path, 0, "no Python: it is not UTF-8 text, or has a zero in it")
            continue
        for one in found:
            by = _brought(one, requirements, around)
            if fault := _import_fault(one, below, packages, by):
                level: Literal["error", "warning"] = "warning" if one.guarded else "error"
                yield Fault(level, spec.name, path, one.line, fault)


def _brought(one: Import, requirements: Sequence[str], around: Around) -> tuple[str, ...]:
    """The requirements that bring an import; what is installed here is asked last, since that takes time."""
    top = one.module.partition(".")[0]
    if one.level or top == ROOT:
        return ()
    by = tuple(found for module in one.modules for found in bringers(requirements, module, {}))
    if by or top in sys.stdlib_module_names:
        return by
    return bringers(requirements, one.module, around.installed())


def _import_fault(one: Import, below: str, packages: set[str], by: Sequence[str]) -> str:
    """What is wrong with an import of the module ``below`` the user's package; a test has no such place."""
    top = one.module.partition(".")[0]
    if one.level:
        above = below.split("/")[:-1]
        if not below or one.level > len(above) + 1:
            return "a relative import that leaves the user's package"
        if one.level == len(above) + 1 and top not in packages:
            return f"{ROOT}.{top} is in no component that the manifest names"
        return ""
    if top == ROOT:
        inner = one.module.split(".")[1:2]
        if not inner or inner[0] not in packages:
            return f"{one.module} is in no component that the manifest names"
        return ""
    if by or top in sys.stdlib_module_names:
        return ""
    more = ", as an extra at least" if one.guarded else ""
    return f"imports {one.module}, which no declared dependency brings{more}"


def _options(template: Template) -> Iterator[Fault]:
    """Constants that an option cannot set."""
    spec = template.spec
    for name, option in spec.options.items():
        path, _, constant = option.constant.partition(":")
        where = code_path(spec, path)
        value = option.default if option.default is not None else "x"
        try:
            rewritten(template.files[where], "churn", {constant: value}, where=where)
        except SpecError as error:
            yield Fault("error", spec.name, where, 0, f"option {name}: {error.problem.removeprefix(where).strip()}")


def _links(template: Template) -> Iterator[Fault]:
    """Links in Markdown to files that do not come along."""
    for path, content in template.files.items():
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            for link in _LINK.findall(line):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
                inside = any(one == target or one.startswith(f"{target}/") for one in template.files)
                if not inside or target.startswith(".."):
                    yield Fault("error", template.spec.name, path, number, f"the link to {link} leads nowhere")
