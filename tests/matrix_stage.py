"""One point of the update matrix: a component, what the user did to it, an update, and what became of both sides."""

from __future__ import annotations

import ast
import difflib
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlox.components import Record, Template
from mlox.components.updating import Update
from mlox.errors import UsageError
from mlox.registries.folder import FolderRegistry
from tests.component_stage import Shop
from tests.matrix_edits import EDITS, Edited
from tests.matrix_texts import Definition, Target, constants, has_value, meaning, named, upstream


@dataclass(frozen=True)
class Point:
    """A component, a kind of edit, and what upstream changes."""

    component: str
    kind: str
    target: Target

    def __str__(self) -> str:
        return f"{self.component}, {self.kind}: {self.target.path} {self.target.function} {self.target.cls}".strip()


@dataclass
class Score:
    """What was found, by kind of edit; ``faults`` say where."""

    points: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fault(self, word: str, point: Point, detail: str = "") -> None:
        self.wrong.setdefault(word, Counter())[point.kind] += 1
        self.faults.append(f"{word}: {point} {detail}")

    def __str__(self) -> str:
        rows = [f"{'kind':20} points conflicts {'  '.join(WORDS)}"]
        for kind in [*self.points, "all"]:
            points, conflicts = (
                sum(one.values()) if kind == "all" else one[kind] for one in (self.points, self.conflicts)
            )
            counts = [self.wrong.get(word, Counter()) for word in WORDS]
            found = [sum(one.values()) if kind == "all" else one[kind] for one in counts]
            cells = "  ".join(f"{count:>{len(word)}}" for count, word in zip(found, WORDS, strict=True))
            rows.append(f"{kind:20} {points:6} {conflicts:9} {cells}")
        return "\n".join(rows)


WORDS = ("lost edits", "dropped changes", "wrong merges", "false conflicts", "untold", "twins", "not settled")


class Matrix:
    """Workspaces with one component each, made once and copied for each point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Path] = {}
        self.count = 0

    def shop(self, component: str) -> Shop:
        """A workspace that has the component, and nothing else."""
        if component not in self.made:
            root = self.folder / component / "churn"
            root.mkdir(parents=True)
            Shop(root).add(component)
            self.made[component] = root
        self.count += 1
        root = self.folder / f"{self.count}" / "churn"
        shutil.copytree(self.made[component], root)
        return Shop(root)

    @staticmethod
    def names() -> tuple[str, ...]:
        """All components that come with mlox."""
        return FolderRegistry().names()

    def points(self, *components: str) -> Iterator[Point]:
        """Of each component each file, two of its functions, each kind of edit."""
        for component in components:
            shop = self.shop(component)
            record, spec = shop.components.added()[component], shop.template(component).spec
            options = {option.constant for option in spec.options.values() if option.constant}
            for path in code_of(record):
                tree = ast.parse(shop.read(path))
                own = {one.rpartition(":")[2] for one in options}
                constant = next((name for name in constants(tree) if name not in own), "")
                for target in targets(tree, path, constant):
                    yield from (Point(component, kind, target) for kind in EDITS)

    def play(self, point: Point, score: Score) -> None:
        """Edit, update, look."""
        shop = self.shop(point.component)
        record = shop.components.added()[point.component]
        files = {path: shop.read(path) for path in record.files if path.endswith(".py")}
        edited = EDITS[point.kind](files, point.target)
        if edited is None:
            return
        for path, text in edited.mine.items():
            if text is None:
                (shop.root / path).unlink()
            else:
                shop.put(path, text)
        score.points[point.kind] += 1
        update = shop.changes.update(point.component, newer(shop, record, edited.target))
        assert update is not None
        left = [conflict for change in update.conflicts for conflict in change.conflicts]
        score.conflicts[point.kind] += len(left)
        look(shop, point, edited, update, score)
        again(shop, point, edited, score)
        shutil.rmtree(shop.root.parent)


def code_of(record: Record) -> list[str]:
    """The modules of a component, without its tests."""
    return [path for path in record.files if path.endswith(".py") and path.startswith(record.folder)]


def targets(tree: ast.Module, path: str, constant: str) -> Iterator[Target]:
    """The longest function of a module and its longest method, each with a class that changes with it."""
    found = named(tree)
    classes = [name for name, node in found.items() if isinstance(node, ast.ClassDef)]
    longest: dict[bool, tuple[int, str]] = {}
    for name, node in found.items():
        size = (node.end_lineno or 0) - node.lineno
        if not isinstance(node, ast.ClassDef) and not is_stub(node) and (has_value(node) or size > 2):
            longest["." in name] = max(longest.get("." in name, (0, "")), (size, name))
    for _, name in longest.values():
        owner = name.partition(".")[0] if "." in name else classes[0] if classes else ""
        yield Target(path, name, owner, constant)


def is_stub(node: Definition) -> bool:
    """Whether its body does not stand on lines of its own, as that of a protocol's method."""
    return node.body[0].col_offset != node.col_offset + 4


def newer(shop: Shop, record: Record, target: Target | None, version: str = "1.1") -> Template:
    """A later version of a component; ``target`` is what it changes."""
    template = shop.template(record.name)
    files = dict(template.files)
    if target is not None:
        origin = record.files[target.path].template
        files[origin] = upstream(files[origin].decode(), target).encode()
    files["component.yaml"] = re.sub(rb"(?m)^version: .*$", f'version: "{version}"'.encode(), files["component.yaml"])
    return Template.parse(record.name, files, source=template.source)


def look(shop: Shop, point: Point, edited: Edited, update: Update, score: Score) -> None:
    """Compare what is there with what should be."""
    told = [(change.word, conflict.key) for change in update.conflicts for conflict in change.conflicts]
    told += [(change.word, change.path) for change in update.conflicts if not change.conflicts]
    if not edited.told and told:
        score.fault("false conflicts", point, str(told))
    if edited.told and not any(edited.told in key for _, key in told):
        score.fault("untold", point, str(told))
    for path, text in edited.mine.items():
        if text is None and (shop.root / path).exists():
            score.fault("lost edits", point, f"{path} came back")
    for path, wanted in edited.expected.items():
        there = shop.root / path
        mine = edited.mine.get(path)
        if not there.exists():
            score.fault("lost edits", point, f"{path} is gone")
            continue
        now = there.read_text()
        lost = lost_lines(mine or "", now, edited.target.constant)
        if lost:
            score.fault("lost edits", point, f"{path} {lost}")
        says, should = Counter(meaning(now)), Counter(meaning(wanted))
        missing, more = list((should - says).elements()), list((says - should).elements())
        had = set(meaning(mine or ""))
        if missing and all(one in had for one in more):
            if told and not edited.told:
                continue  # it waits for the user, which is counted as a false conflict
            score.fault("dropped changes", point, f"{path} {[one[:90] for one in missing]}")
        elif missing or more:
            score.fault("wrong merges", point, f"{path} -{[o[:200] for o in missing]} +{[o[:200] for o in more]}")
        names = {getattr(node, "name", "") for node in ast.walk(ast.parse(now))}
        if edited.twin in names - {getattr(node, "name", "") for node in ast.walk(ast.parse(mine or ""))}:
            score.fault("twins", point, path)


def lost_lines(mine: str, now: str, constant: str) -> list[str]:
    """The user's lines that are not there any more, but for the constant that upstream changed."""
    value = constants(ast.parse(mine)).get(constant)
    theirs = range(value.lineno - 2, (value.end_lineno or 0) + 1) if value is not None else range(0)
    kept = [line for row, line in enumerate(mine.splitlines()) if row not in theirs]
    diff = difflib.ndiff(kept, now.splitlines())
    return [line[2:] for line in diff if line.startswith("- ") and line[2:].strip()]


def again(shop: Shop, point: Point, edited: Edited, score: Score) -> None:
    """A second update does nothing, and the state says what there is; settled as the user has it, so does a third."""
    name = point.component
    record = shop.components.added()[name]
    before = {path: text for path, text in shop.tree().items() if not path.startswith(".mlox")}
    same = newer(shop, record, None)
    template = Template.parse(name, {**same.files, **_texts(shop, record, edited, name)}, source=same.source)
    if any(file.unresolved for file in record.files.values()):
        if shop.state(name) != "conflict":
            score.fault("not settled", point, shop.state(name))
        try:
            shop.changes.plan_update(name, template)
            score.fault("not settled", point, "an update before it is settled")
        except UsageError:
            shop.changes.resolve(name, "mine")
    elif shop.state(name) != "edited":
        score.fault("not settled", point, shop.state(name))
    if shop.changes.plan_update(name, template) is not None:
        score.fault("not settled", point, "the same again is something to do")
    files = {**template.files, "component.yaml": template.files["component.yaml"].replace(b'"1.1"', b'"1.2"')}
    last = Template.parse(name, files, source=template.source)
    third = shop.changes.update(name, last)
    after = {path: text for path, text in shop.tree().items() if not path.startswith(".mlox")}
    if third is None or third.changes or after != before:
        score.fault("not settled", point, f"a later version without changes: {third and third.changes}")


def _texts(shop: Shop, record: Record, edited: Edited, name: str) -> dict[str, bytes]:
    """The template's text of the file that upstream changed."""
    origins = {file.template for file in record.files.values()}
    own = shop.template(name).files
    path = next(one for one in origins if edited.target.path.endswith(one.partition("src/project/")[2] or one))
    return {path: upstream(own[path].decode(), edited.target).encode()}
