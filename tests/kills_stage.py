"""What is done to components, and a process that is ended at any call which changes the disk.

Points are the calls of ``os`` through which files change or are made sure of, and both halves of every write.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from mlox.errors import MloxError
from tests.component_stage import INIT, LOUDER, WORDS, WORDS_PATH, Shop, newer, offer, template_files
from tests.journal_stage import STEPS
from tests.layer_stage import layer, serving

ROOT = Path(__file__).parents[1]
When = Literal["before", "after", "interrupt"]
WHENS: tuple[When, ...] = ("before", "after", "interrupt")
ENDED = 9
PROJECT = '[project]\nname = "churn"\ndependencies = [\n    "rich",\n]\n'
ONLY_THIS_MACHINE = (".mlox/local/undo", ".mlox/local/incoming")
"""What of this machine's own belongs to a change too."""


@dataclass(frozen=True, slots=True)
class Case:
    """One change of components: what is there before, and what is done then."""

    lay_out: Callable[[Shop], object]
    act: Callable[[Shop], object]


def edited(shop: Shop, old: str, new: str) -> None:
    """The user changes what was injected."""
    text = shop.read(WORDS_PATH)
    assert old in text
    shop.put(WORDS_PATH, text.replace(old, new))


def forget(shop: Shop) -> None:
    """Leave nothing that could be taken back but what comes next."""
    shutil.rmtree(shop.root / ".mlox/local/undo")


def merging(shop: Shop) -> None:
    """A newer version with another file and another requirement, and an edit of the user's beside what it changes."""
    shop.add()
    edited(shop, "TIMES: int = 1", "TIMES: int = 2")
    files = template_files(version="1.1", dependencies='["tabulate>=0.9", "humanize>=4"]')
    manifest = files["component.yaml"].replace(b"words.py]", b"words.py, more.py]")
    code = {"src/project/greeting/words.py": LOUDER, "src/project/greeting/more.py": b"MORE = 1\n"}
    offer(shop.root, {**files, **code, "component.yaml": manifest, "src/project/greeting/__init__.py": INIT + b"\n"})


def conflicting(shop: Shop) -> None:
    """A newer version that changes what the user changed, and what he deleted."""
    shop.add()
    edited(shop, "Hello", "Good day")
    (shop.root / "tests/test_greeting.py").unlink()
    newer(shop)
    offer(shop.root, {"tests/test_greeting.py": b"from project.greeting import greet\n\nassert greet\n"})


def needing(shop: Shop) -> None:
    """A newer version that needs a component which is not there."""
    offer(shop.root, serving(), "serving")
    shop.add()
    newer(shop)
    manifest = shop.root / "mlx-components/greeting/component.yaml"
    manifest.write_bytes(manifest.read_bytes() + b'components: {serving: ">=1.0"}\n')


def layers(shop: Shop, *added: str) -> None:
    """A registry with components that extend one module, and some of them."""
    offer(shop.root, serving(), "serving")
    for name in ("buffering", "limits", "tracing"):
        offer(shop.root, layer(name), name)
    for name in added:
        shop.add(name)


def then(*steps: Callable[[Shop], object]) -> Callable[[Shop], None]:
    """One step after the other."""

    def lay_out(shop: Shop) -> None:
        for step in steps:
            step(shop)

    return lay_out


def resolving(side: Literal["mine", "theirs"], text: bytes | None = None) -> Callable[[Shop], object]:
    written = None if text is None else {WORDS_PATH: text}
    return lambda shop: shop.changes.resolve("greeting", side, written)


def update(shop: Shop) -> object:
    """Bring it to the newest version, which may be there already."""
    return shop.changes.update("greeting", shop.template())


def undo(shop: Shop) -> object:
    return shop.changes.undo()


def remove(shop: Shop) -> object:
    return shop.remove()


CASES: dict[str, Case] = {
    "add": Case(lambda _: None, Shop.add),
    "add with what it needs": Case(layers, lambda shop: shop.add("limits")),
    "add a second to one file": Case(
        lambda shop: layers(shop, "serving", "buffering", "tracing"), lambda shop: shop.add("limits")
    ),
    "update": Case(then(Shop.add, newer), update),
    "update, merging": Case(merging, update),
    "update, conflicting": Case(conflicting, update),
    "update with what it needs": Case(needing, update),
    "resolve, mine": Case(then(conflicting, Shop.update), resolving("mine")),
    "resolve, theirs": Case(then(conflicting, Shop.update), resolving("theirs")),
    "resolve, written": Case(then(conflicting, Shop.update), resolving("mine", WORDS + b"\nMINE = 1\n")),
    "undo an add": Case(Shop.add, undo),
    "undo an update": Case(then(merging, forget, Shop.update), undo),
    "undo a remove": Case(then(Shop.add, forget, remove), undo),
    "remove": Case(Shop.add, remove),
    "remove an edited one": Case(then(Shop.add, lambda shop: edited(shop, "Hello", "Good day")), remove),
    "remove from a shared file": Case(
        lambda shop: layers(shop, "serving", "buffering", "limits", "tracing"), lambda shop: shop.remove("limits")
    ),
    "remove, keeping": Case(Shop.add, lambda shop: shop.remove(keep=True)),
}


def laid_out(root: Path, case: str) -> Path:
    """A workspace before the case: a project with its own files."""
    root.mkdir(parents=True)
    offer(root, template_files())
    shop = Shop(root)
    shop.put("pyproject.toml", PROJECT)
    shop.put("src/churn/model.py", "x = 1\n")
    CASES[case].lay_out(shop)
    return root


def contents(root: Path) -> dict[str, bytes]:
    """Every file of a workspace, and what belongs to a change of those that git ignores."""
    files = {path: text for path, text in Shop(root).tree().items() if text is not None}
    for folder in ONLY_THIS_MACHINE:
        found = (path for path in (root / folder).rglob("*") if path.is_file())
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    return files


def after(template: Path, case: str, scratch: Path) -> dict[str, bytes]:
    """What a workspace holds when the case came to its end."""
    root = scratch / "churn"
    shutil.copytree(template, root)
    CASES[case].act(Shop(root))
    return contents(root)


def killed(template: Path, case: str, when: When, roots: Path, points: Iterable[int] | None = None) -> list[Path]:
    """Copies of a workspace in which the case was ended at each of ``points``, by default at all of them."""
    chosen = "all" if points is None else ",".join(map(str, points))
    roots.mkdir()
    (roots / "temporary").mkdir()
    command = (sys.executable, "-m", "tests.kills_stage", str(template), str(roots), case, when, chosen)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(roots / "temporary")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(roots.glob("*/churn"))


def counted(template: Path, case: str, scratch: Path) -> int:
    """How many points a case has."""
    scratch.mkdir()
    killed(template, case, "before", scratch / "roots", [10**6])
    return int((scratch / "roots" / "points").read_text())


def found_old_or_new(root: Path, case: str, old: dict[str, bytes], new: dict[str, bytes], *, again: bool) -> str:
    """Which of both the next verb finds: one that only looks or, with ``again``, the same one; it can be done then."""
    if again:
        try:
            CASES[case].act(Shop(root))
        except MloxError as error:  # it was done already, which the same verb may not do twice
            told = error.problem
        else:
            told = ""
        Shop(root).components.rows()
        assert contents(root) == new, f"{case}, {root.parent.name}: neither done nor done again: {told}"
        return "new"
    Shop(root).components.rows()
    left = contents(root)
    assert left in (old, new), f"{case}, {root.parent.name}: {differing(left, old)}; {differing(left, new)}"
    if left == new:
        return "new"
    CASES[case].act(Shop(root))
    assert contents(root) == new, f"{case}, {root.parent.name}: it cannot be done afterwards"
    return "old"


def on_disk(root: Path) -> frozenset[tuple[str, bytes]]:
    """All that is left of a workspace, the journal too; names that are made up at random are told alike."""
    files = (path for path in root.rglob("*") if path.is_file())
    return frozenset(
        (re.sub(r"[0-9a-f]{8,16}(?=/|\.tmp)", "*", path.relative_to(root).as_posix()), path.read_bytes())
        for path in files
    )


def differing(left: dict[str, bytes], right: dict[str, bytes]) -> list[str]:
    return sorted(path for path in {*left, *right} if left.get(path) != right.get(path))


class _Halves:
    """A file that writes in two steps, each of which counts."""

    def __init__(self, file: Any, step: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._file, self._write = file, step(self._flushed)

    def _flushed(self, part: Any) -> None:
        self._file.write(part)
        self._file.flush()

    def write(self, content: Any) -> int:
        self._write(content[: len(content) // 2])
        self._write(content[len(content) // 2 :])
        return len(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Ending:
    """Ends this process at one point."""

    def __init__(self, at: int, when: str) -> None:
        self.seen, self.at, self.when = -1, at, when

    def step(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.seen += 1
            here = self.seen == self.at
            if here and self.when == "interrupt":
                raise KeyboardInterrupt
            if here and self.when == "before":
                os._exit(ENDED)
            try:
                return function(*arguments, **options)
            finally:
                if here:
                    os._exit(ENDED)

        return call

    def instrument(self) -> None:
        for name in STEPS:
            # A kill, unlike a power cut, loses nothing that was written: no need to wait for the disk.
            real = (lambda _: None) if name == "fsync" else getattr(os, name)
            setattr(os, name, self.step(real))
        opened = os.fdopen
        setattr(os, "fdopen", lambda *words, **options: _Halves(opened(*words, **options), self.step))  # noqa: B010


def _child(root: Path, case: str, when: str, at: int, told: Path) -> None:
    ending = _Ending(at, when)
    shop = Shop(root)
    ending.instrument()
    try:
        CASES[case].act(shop)
    except KeyboardInterrupt:
        os._exit(ENDED)
    told.write_text(str(ending.seen + 1))
    os._exit(0 if ending.seen < at else ENDED)


def main(template: str, roots: str, case: str, when: str, chosen: str) -> None:
    """End a child for each point at that point; where all are asked for, until one comes to its end."""
    for number in range(2000) if chosen == "all" else [int(one) for one in chosen.split(",")]:
        root = Path(roots) / f"{number:04d}" / "churn"
        shutil.copytree(template, root)
        if (child := os.fork()) == 0:
            _child(root, case, when, number, Path(roots) / "points")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code not in (0, ENDED):
            sys.exit(code)
        if code == 0:
            break


if __name__ == "__main__":
    main(*sys.argv[1:])
