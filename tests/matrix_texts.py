"""How Python texts are changed by positions of their syntax trees: what upstream does, and what two texts mean."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
NEWER = '_newer = "v2"'
METHOD = ["def newer_method(self) -> str:", '    """What is new."""', '    return "v2"']
FUNCTION = ["", "", "def newer_function() -> str:", '    """What is new."""', '    return "v2"']


@dataclass(frozen=True)
class Target:
    """What upstream changes of one file: a function, a class, a constant; each may be none.

    ``function`` is qualified. ``clash``: upstream also changes the value of the function's last statement that has one.
    """

    path: str
    function: str = ""
    cls: str = ""
    constant: str = ""
    clash: bool = False

    @property
    def top(self) -> str:
        """The definition of the module that holds the function."""
        return self.function.partition(".")[0]

    def renamed(self, names: Mapping[str, str]) -> Target:
        """The same where the user has other names."""
        function = ".".join(names.get(part, part) for part in self.function.split("."))
        return replace(self, function=function, cls=names.get(self.cls, self.cls))


def upstream(text: str, target: Target) -> str:
    """The text with what upstream changes; what it does not have is left out."""
    found = named(ast.parse(text))
    lines = text.splitlines()
    inserts: list[tuple[int, int, list[str]]] = []
    function = found.get(target.function)
    if function is not None:
        if target.clash:
            lines = wrapped(lines, valued(function), "newer_of")
        inserts.append((start_of(function), 0, [f"{indent_of(lines, function)}{NEWER}"]))
        top = found[target.top]
        inserts.append((top.end_lineno or 0, 2, FUNCTION))
    cls = found.get(target.cls)
    if cls is not None:
        pad = indent_of(lines, cls)
        inserts.append((cls.end_lineno or 0, 1, ["", *(f"{pad}{line}" for line in METHOD)]))
    for place, _, new in sorted(inserts, reverse=True):
        lines[place:place] = new
    text = "\n".join(lines) + "\n"
    constant = constants(ast.parse(text)).get(target.constant)
    return text if constant is None else "\n".join(wrapped(text.splitlines(), constant, "newer_of")) + "\n"


def named(tree: ast.Module) -> dict[str, Definition]:
    """The definitions of a module and of its classes, by qualified name; none of those that stand there twice."""
    found: dict[str, Definition] = {}
    twice: set[str] = set()
    for node in tree.body:
        if isinstance(node, Definition):
            inner = [one for one in node.body if isinstance(one, Definition)] if isinstance(node, ast.ClassDef) else []
            for name, one in [(node.name, node), *((f"{node.name}.{one.name}", one) for one in inner)]:
                twice |= {name} & found.keys()
                found[name] = one
    return {name: node for name, node in found.items() if not {name, name.partition(".")[0]} & twice}


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """The values of constants of a module."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            name = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(name, ast.Name) and name.id.isupper() and name.id != "__all__":
                found[name.id] = node.value
    return found


def first_line(node: ast.stmt) -> int:
    """The index of the line where a statement begins, decorators included."""
    return int(min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])) - 1


def start_of(function: Definition) -> int:
    """The index of the line of the first statement after the docstring, or of the line after that."""
    body = function.body
    if ast.get_docstring(function) is not None:
        return first_line(body[1]) if len(body) > 1 else body[0].end_lineno or 0
    return first_line(body[0])


def statements(function: Definition) -> list[ast.stmt]:
    """The body without its docstring."""
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def valued(function: Definition) -> ast.expr:
    """The value of the last statement that has one on one line."""
    values = [getattr(node, "value", None) for node in statements(function)]
    return [one for one in values if isinstance(one, ast.expr) and one.lineno == one.end_lineno][-1]


def has_value(function: Definition) -> bool:
    """Whether there is such a value."""
    values = [getattr(node, "value", None) for node in statements(function)]
    return any(isinstance(one, ast.expr) and one.lineno == one.end_lineno for one in values)


def indent_of(lines: list[str], function: Definition) -> str:
    line = lines[function.body[0].lineno - 1]
    return line[: len(line) - len(line.lstrip())]


def wrapped(lines: list[str], value: ast.expr, name: str) -> list[str]:
    """The lines with a call around a value."""
    new = list(lines)
    last, first = (value.end_lineno or 0) - 1, value.lineno - 1
    for row, column, text in ((last, value.end_col_offset or 0, ")"), (first, value.col_offset, f"{name}(")):
        line = new[row].encode()
        new[row] = (line[:column] + text.encode() + line[column:]).decode()
    return new


def with_names(text: str, names: Mapping[str, str]) -> str:
    """The text with other identifiers, in f-strings and in ``__all__`` too."""
    public = {row for node in ast.parse(text).body if "__all__" in ast.unparse(node) for row in rows_of(node)}
    words = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    lines = io.StringIO(text).readlines()
    spans: list[tuple[int, int, int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (row, begin), (last, end) = token.start, token.end
        formatted = token.type == tokenize.STRING and "f" in token.string.partition(token.string[-1])[0].lower()
        alone = token.type == tokenize.STRING and token.string[1:-1] in names and row in public
        if row == last and (alone or formatted or (token.type == tokenize.NAME and token.string in names)):
            spans.append((row, begin, end, words.sub(lambda found: names[found[1]], token.string)))
    for row, begin, end, new in reversed(spans):
        lines[row - 1] = lines[row - 1][:begin] + new + lines[row - 1][end:]
    return "".join(lines)


def rows_of(node: ast.stmt) -> range:
    """The numbers of the lines of a statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def meaning(text: str, without: Collection[str] = ()) -> list[str]:
    """What a module says: its statements, and those of its classes, in no order; each imported name by itself."""
    return sorted(_said(ast.parse(text).body, without))


def _said(body: list[ast.stmt], without: Collection[str]) -> list[str]:
    found = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            where = f"{'.' * node.level}{node.module}" if isinstance(node, ast.ImportFrom) else "import"
            found += [f"{where} {one.name} {one.asname}" for one in node.names]
        elif isinstance(node, ast.ClassDef):
            head = ast.dump(ast.ClassDef(node.name, node.bases, node.keywords, [], node.decorator_list))
            found += [head, *(f"{node.name}: {one}" for one in _said(node.body, without))]
        elif getattr(node, "name", "") not in without:
            found.append(ast.dump(node))
    return found
