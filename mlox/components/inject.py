"""What adding a component writes: its files, its tests, its dependencies and its record, as one plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mlox.components.dependencies import PYPROJECT, new_project, requirements_added
from mlox.components.extending import extend
from mlox.components.layout import Place
from mlox.components.manifest import Template, code_path, test_path, whole_name
from mlox.components.plan import EditPlan
from mlox.components.records import DependencyRecord, FileRecord, Record, base_path, digest_of, file_record
from mlox.components.rewriting import rewritten
from mlox.components.settings import Names, settings_added, settings_of
from mlox.components.tree import Tree, inside
from mlox.errors import WorkspaceError
from mlox.journal import Edit
from mlox.specs.model import Scalar


@dataclass(frozen=True, slots=True)
class Addition:
    """A component that is about to be added: the edits, what will be recorded, and the dependencies that were there.

    ``together`` is all that the project then depends on, where that changes; ``along`` are the components that it
    needs and that are added with it, whose edits are in the plan too. ``kept`` are settings that the user has set to
    another value than it asks for, by file.
    """

    plan: EditPlan
    record: Record
    known: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    along: tuple[Addition, ...] = ()
    kept: Names = field(default_factory=dict)


def plan_addition(
    tree: Tree,
    template: Template,
    place: Place,
    *,
    project: str,
    options: Mapping[str, Scalar],
    others: Mapping[str, Record],
) -> Addition:
    """The plan that puts ``template`` below the package at ``place``; ``others`` are the components that are there.

    Raises:
        WorkspaceError: files are there and differ, a path leaves the workspace, or the dependencies cannot be written.
        SpecError: the template, or ``pyproject.toml``, is wrong.
    """
    spec = template.spec
    texts = injected(template, place, options)
    files, edits = _code(tree, spec.name, texts)
    made = {} if _is_there(tree, place) else {f"{place.folder}/__init__.py": _package_text(project)}
    edits += [Edit(tree.at(path), content, replaces=None) for path, content in made.items()]
    ours = [written for other in others.values() for written in other.dependencies]

    def new() -> bytes:
        return new_project(project, place.folder, place.path)

    written = requirements_added(tree, spec.dependencies, ours, new=new, project=place.project)
    edits += written.edits
    pieces = settings_of(template, tree, others, place.project)
    settings = settings_added(tree.over(edits), template.name, pieces, others, files=files, new=new)
    edits += settings.edits
    project_file = written.made if written.made is not None else settings.made
    made |= {PYPROJECT: project_file} if project_file is not None else {}
    extension = extend(tree.over(edits), template, place, others)
    edits += extension.edits
    record = Record(
        name=template.name,
        version=spec.version,
        source=template.source,
        digest=template.digest,
        package=f"{place.package}.{spec.package}",
        into=place.folder,
        project=place.project,
        options=dict(options),
        files=files,
        extends=extension.records,
        components=sorted(whole_name(one, template, others) for one in spec.components),
        dependencies=list(written.records),
        settings=settings.records,
        made={path: digest_of(content) for path, content in made.items()}
        | shared((f"{place.folder}/__init__.py", *project_files(written.records, settings.records)), others),
        folders=_folders(tree, [*texts, *made, *settings.records], others),
    )
    edits += base_edits(tree, [text for _, text in (*texts.values(), *pieces.values())])
    edits.append(Edit(tree.at(record.path), record.to_bytes(), replaces=tree.read(record.path)))
    return Addition(EditPlan.of(tree.root, edits), record, written.known, written.together, kept=settings.kept)


def injected(template: Template, place: Place, options: Mapping[str, Scalar]) -> dict[str, tuple[str, bytes]]:
    """The files of a component as they will stand: by path, where each comes from in the template, and its text."""
    spec = template.spec
    folder = f"{place.folder}/{spec.package}"
    pairs = [(f"{folder}/{path}", code_path(spec, path), path) for path in spec.files]
    pairs += [(inside(place.project, test_path(path)), test_path(path), "") for path in spec.tests]
    texts = {}
    for target, origin, own in pairs:
        text = template.files[origin]
        if target.endswith(".py"):
            constants = {
                option.constant.partition(":")[2]: options[name]
                for name, option in spec.options.items()
                if option.constant.partition(":")[0] == own
            }
            text = rewritten(text, place.package, constants, where=f"{template.source}: {spec.name}/{origin}")
        texts[target] = (origin, text)
    return texts


def _code(tree: Tree, name: str, texts: Mapping[str, tuple[str, bytes]]) -> tuple[dict[str, FileRecord], list[Edit]]:
    """What is recorded of each file, and the edits that write those that are not there yet."""
    files: dict[str, FileRecord] = {}
    edits: list[Edit] = []
    differ: list[str] = []
    for path, (origin, text) in texts.items():
        there = tree.read(path)
        if there not in (None, text):
            differ.append(path)
        files[path] = file_record(path, origin, text, adopted=there is not None)
        edits.append(Edit(tree.at(path), text, replaces=there))
    if differ:
        raise WorkspaceError(
            f"of the files of {name}, {len(differ)} {'is' if len(differ) == 1 else 'are'} there already and "
            f"{'differs' if len(differ) == 1 else 'differ'}: {', '.join(differ)}; nothing was written",
            hint="Move what is there away, or choose another package with --to.",
        )
    return files, edits


def _is_there(tree: Tree, place: Place) -> bool:
    """Whether the package exists; one without ``__init__.py`` is a namespace package, and stays one."""
    return tree.read(f"{place.folder}/__init__.py") is not None or tree.has_python(place.folder)


def _package_text(project: str) -> bytes:
    return f'"""The package of {project}."""\n'.encode()


def shared(paths: Iterable[str], others: Mapping[str, Record]) -> dict[str, str]:
    """Those of ``paths`` that mlox made for other components, and this one stands on as well."""
    paths = tuple(paths)
    return {path: record.made[path] for record in others.values() for path in paths if path in record.made}


def project_files(dependencies: Iterable[DependencyRecord], settings: Iterable[str]) -> tuple[str, ...]:
    """The project file, where a component has something in it."""
    written = {*(one.path for one in dependencies), *settings}
    return (PYPROJECT,) if PYPROJECT in written else ()


def _folders(tree: Tree, paths: list[str], others: Mapping[str, Record]) -> list[str]:
    """The folders that do not exist yet, or that mlox made for other components and this one is in as well."""
    new = {folder for path in paths for folder in tree.new_folders(path)}
    made = {folder for record in others.values() for folder in record.folders}
    return sorted(new | {folder for folder in made if any(path.startswith(f"{folder}/") for path in paths)})


def base_edits(tree: Tree, texts: list[bytes]) -> list[Edit]:
    """The texts as injected, each under its digest; what is there already is the same."""
    wanted = {base_path(digest_of(text)): text for text in texts}
    return [Edit(tree.at(path), text, replaces=tree.read(path)) for path, text in wanted.items()]
