"""How a template becomes the user's own: the root of its imports, and the constants that options set.

Nothing but these places changes, to the byte: they are found in the tokens and the syntax tree, and replaced in the
text.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Mapping

from mlox.errors import SpecError
from mlox.specs import ROOT
from mlox.specs.model import Scalar

Span = tuple[int, int, int]
"""A line (from 1), and the columns where it begins and ends, in characters."""


def rewritten(content: bytes, package: str, constants: Mapping[str, Scalar], *, where: str) -> bytes:
    r"""The text of a Python file with ``package`` for the root of absolute imports, and other values of constants.

    Raises:
        SpecError: it is no Python, or does not have such a constant on one line.

    Example:
        >>> rewritten(b"from project.store import Store\nLIMIT: int = 3\n", "churn", {"LIMIT": 5}, where="x")
        b'from churn.store import Store\nLIMIT: int = 5\n'
    """
    try:
        text = content.decode("utf-8")
        tree = ast.parse(text)
        spans = dict.fromkeys(_roots(text, where), package) | _constants(text, tree, constants, where)
    except SpecError:
        raise
    except (ValueError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise SpecError(f"{where} is no Python", hint="Mend the template.") from error
    lines = _lines(text)
    for (row, begin, end), new in sorted(spans.items(), reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:begin] + new + line[end:]
    return "".join(lines).encode()


def _roots(text: str, where: str) -> list[Span]:
    """Where ``from`` imports begin with the root of the template."""
    found = []
    begins = True
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            continue
        if token.string == ROOT and before == "import":
            raise SpecError(f"{where} imports {ROOT} as a whole", hint=f"Write: from {ROOT}.NAME import ...")
        if token.string == ROOT and before == "from":
            found.append((token.start[0], token.start[1], token.end[1]))
        before = token.string if begins or before == "from" else ""
        begins = token.type == tokenize.NEWLINE or token.string in (";", ":")
    return found


def _constants(text: str, tree: ast.Module, constants: Mapping[str, Scalar], where: str) -> dict[Span, str]:
    lines = _lines(text)
    found: dict[Span, str] = {}
    for name, value in constants.items():
        node = next((n for n in tree.body if _assigns(n, name)), None)
        part = getattr(node, "value", None)
        if not isinstance(part, ast.expr) or part.lineno != part.end_lineno:
            raise SpecError(f"{where} sets no constant {name} on one line", hint="Mend the template.")
        line = lines[part.lineno - 1].encode()
        begin, end = (len(line[:offset].decode()) for offset in (part.col_offset, part.end_col_offset))
        found[part.lineno, begin, end] = (
            json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
        )
    return found


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return isinstance(node, ast.Assign | ast.AnnAssign) and any(
        isinstance(target, ast.Name) and target.id == name for target in targets
    )


def _lines(text: str) -> list[str]:
    """The lines as Python counts them, with their ends: a form feed ends none."""
    return io.StringIO(text, newline="").readlines()
