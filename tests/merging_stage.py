"""Modules for tests of merges: built by hypothesis, in all forms that bytes of Python take."""

from __future__ import annotations

from hypothesis import strategies as st

from mlox.components.merge import MergeResult, merge

NAMES = st.sampled_from(["load", "save", "Store", "limit", "alpha", "beta", "run"])
VALUES = st.sampled_from(
    ["1", "[1, 2]", "{'a': 1,\n 'b': 2}", "(\n    3,  # three\n)", '"""x\n\ny"""', "alpha", "f(a, b=2)"]
)
COMMENTS = st.sampled_from(["", "# why\n", "\n", "\n\n# two\n# lines\n", "\n# apart\n\n", "\x0c\n"])


@st.composite
def statements(draw: st.DrawFn, depth: int = 2) -> str:
    """One statement with what stands above it, indented by nothing."""
    name, value = draw(NAMES), draw(VALUES)
    kinds = ["assign", "import", "from", "call", "twice"] + ["def", "class", "if", "try"] * bool(depth)
    kind = draw(st.sampled_from(kinds))
    lead = draw(COMMENTS)
    if kind in {"assign", "import", "from", "call", "twice"}:
        simple = {
            "assign": f"{name} = {value}",
            "import": f"import {name}",
            "from": f"from pkg.{name} import {draw(NAMES)}, other",
            "call": f"{name}({value})",
            "twice": f"{name} = 1; alpha = 2",
        }
        return f"{lead}{simple[kind]}{draw(st.sampled_from(['', '  # noqa']))}\n"
    body = indented("".join(draw(st.lists(statements(depth=depth - 1), min_size=1, max_size=3))))
    after = draw(st.sampled_from(["", "    # last word\n"]))
    head = {
        "def": f"@wrap\ndef {name}(a, *, b=1):",
        "class": f"class {name}(Base):",
        "if": f"if {name}:",
        "try": "try:",
    }
    rest = {"if": f"else:\n{body}", "try": f"except ValueError:\n{body}"}
    return f"{lead}{head[kind]}\n{body}{after}{rest.get(kind, '')}"


def indented(text: str) -> str:
    """A block below its header; lines inside of texts move too, which is as good."""
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


@st.composite
def modules(draw: st.DrawFn) -> str:
    """A whole module, with any line ends."""
    text = "".join(draw(st.lists(statements(), max_size=6))) + draw(COMMENTS)
    text = draw(st.sampled_from(["", "#!/usr/bin/env python\n# licence\n\n", '"""What it is."""\n'])) + text
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))


def merged(base: str, left: str, right: str) -> MergeResult:
    """The merge of three modules."""
    return merge(base, left, right, path="module.py")
