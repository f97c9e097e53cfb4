"""What a merge must not do silently: lose a name's binding, define a thing twice, say what Python cannot read."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from mlox.components.merge.lines import LABELS
from mlox.components.merge.python.source import NOT_PYTHON, Source, parsed

_KNOWN = frozenset({*dir(builtins), "__file__", "__name__", "__path__", "__class__", "__module__", "__qualname__"})
_HUNK = re.compile(
    rf"^<{{7}} {LABELS[0]}\r?\n(.*?)^\|{{7}} {LABELS[1]}\r?\n.*?^={{7}}\r?\n(.*?)^>{{7}} {LABELS[2]}\r?\n",
    re.MULTILINE | re.DOTALL,
)
_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def caught(text: str, left: Source, right: Source, renamed: Sequence[tuple[str, str]]) -> str:
    """Why a merged text cannot be taken; empty where it can."""
    try:
        tree = parsed(text)
    except NOT_PYTHON as error:
        return f"the result is no Python: {error}"
    sides = [_Names(source.tree) for source in (left, right)]
    merged = _Names(tree)
    for name, side in renamed:
        if merged.said[name] > sides[0 if side == "left" else 1].said[name]:
            return f"{name} was renamed, and the other side uses it by its old name"
    lost = merged.unbound - sides[0].unbound - sides[1].unbound
    if lost and not merged.star:
        return f"nothing would bind {', '.join(sorted(lost))} any more"
    most = sides[0].defined | sides[1].defined
    twice = sorted(name for name, times in merged.defined.items() if times > max(1, most[name]))
    if twice:
        return f"{', '.join(twice)} would be defined twice"
    idle = merged.idle - sides[0].idle - sides[1].idle
    if idle and (idle & (sides[0].locals | sides[1].locals)):
        return f"nothing would use {', '.join(sorted(idle))} any more"
    unused = merged.unused - sides[0].unused - sides[1].unused
    if unused:
        return f"nothing would use {', '.join(sorted(unused))} any more"
    return ""


def readable(text: str, side: str) -> bool:
    """Whether a text is Python once every conflict in it is answered with one side."""
    kept = r"\1" if side == LABELS[0] else r"\2"
    try:
        parsed(_HUNK.sub(kept, text))
    except NOT_PYTHON:
        return False
    return True


class _Names:
    """The names of a module: what is loaded and bound nowhere, and how often each definition stands in its scope."""

    def __init__(self, tree: ast.Module) -> None:
        loaded: set[str] = set()
        bound: set[str] = set(_KNOWN)
        self.said: Counter[str] = Counter()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                self.said[node.attr] += 1
            elif isinstance(node, ast.Name):
                self.said[node.id] += 1
                (loaded if isinstance(node.ctx, ast.Load) else bound).add(node.id)
            else:
                bound.update(binds(node))
        self.unbound = loaded - bound
        imports = [one for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for one in node.names]
        self.unused = {name for one in imports for name in binds(one)} - loaded
        self.star = "*" in bound
        self.defined = Counter(_definitions(tree, ""))
        self.locals: set[str] = set()
        self.idle: set[str] = set()
        for name, node in _functions(tree, ""):
            within = list(ast.walk(node))
            there = [one for one in within if isinstance(one, ast.Name)]
            stored = {one.id for one in there if isinstance(one.ctx, ast.Store)}
            stored |= {name for one in within if isinstance(one, ast.alias) for name in binds(one)}
            used = {one.id for one in there if not isinstance(one.ctx, ast.Store)}
            self.locals |= {f"{name}.{one}" for one in stored}
            self.idle |= {f"{name}.{one}" for one in stored - used}


def binds(node: ast.AST) -> Iterator[str]:
    """The names that a node binds, where it is no plain name itself."""
    if isinstance(node, _DEFINITION):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names


def _definitions(tree: ast.AST, scope: str) -> Iterator[str]:
    """The qualified names of definitions, as often as they stand there; those in branches count by their branch."""
    for at, node in enumerate(ast.iter_child_nodes(tree)):
        if isinstance(node, _DEFINITION):
            wrapped = "".join(ast.dump(one) for one in node.decorator_list if isinstance(one, ast.Attribute))
            yield f"{scope}{node.name}{wrapped}"
            yield from _definitions(node, f"{scope}{node.name}.")
        elif isinstance(node, ast.stmt | ast.ExceptHandler):
            yield from _definitions(node, f"{scope}{at}:" if hasattr(node, "body") else scope)


def _functions(tree: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST]]:
    """The outermost functions, with their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{scope}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{scope}{node.name}.")
        elif isinstance(node, ast.stmt):
            yield from _functions(node, scope)
