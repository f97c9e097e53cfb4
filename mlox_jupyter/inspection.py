"""The help of the verb at the cursor: on Shift-Tab in a front end, and for a line that ends with a question mark."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from mlox.errors import UsageError
from mlox.verbs import Verb, find_verb
from mlox.verbs.completing import QUIET, Names
from mlox.verbs.context import Context
from mlox.verbs.grammar import overview, usage
from mlox_jupyter.words import in_a_cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

CALL = re.compile(r"^\s*(?:[^%!#]*=\s*)?(?:%{1,2}|!{1,2})mlox\b(.*)$")
QUESTION = re.compile(r"^%{1,2}mlox((?:[ \t]+[^?]*)?)\?{1,2}\s*$")

Bundle = dict[str, Any]


class Inspection:
    """What one shell answers when it is asked about the word at the cursor."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self._usual: Callable[..., Bundle] = shell.object_inspect_mime

    def register(self) -> None:
        """Answer for mlox's lines and cells from now on."""
        self._usual = self.shell.object_inspect_mime
        self.shell.object_inspect_mime = self.inspect  # type: ignore[method-assign]  # a name alone says too little
        self.shell.input_transformers_cleanup.insert(0, with_help)

    def unregister(self) -> None:
        """Answer no longer."""
        vars(self.shell).pop("object_inspect_mime", None)
        self.shell.input_transformers_cleanup.remove(with_help)

    def inspect(self, oname: str, detail_level: int = 0, omit_sections: Collection[str] = ()) -> Bundle:
        """The help at the cursor of the request that is answered; IPython's own answer elsewhere.

        IPython hands over a name alone, which says little in ``%mlox up``: the request has the cell and the cursor.
        Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html#introspection

        Raises:
            KeyError: nothing is known of ``oname``.
        """
        request: dict[str, Any] = getattr(self.shell, "get_parent", dict)() or {}
        if request.get("header", {}).get("msg_type") == "inspect_request":
            content = request.get("content", {})
            text = help_at(str(content.get("code", "")), int(content.get("cursor_pos", 0)))
            if text:
                return {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"}
        return self._usual(oname, detail_level=detail_level, omit_sections=omit_sections)


def help_at(code: str, cursor: int) -> str:
    """The help for what stands at the cursor: of a verb, or of a service in a cell's YAML; empty elsewhere.

    Example:
        >>> help_at("%mlox down mlflow", 8).splitlines()[0]
        'usage: %mlox down [--all] [--purge] [--json] [-y] [--dry-run] [-C DIR]'
    """
    before = code[:cursor]
    lines, row = code.split("\n"), before.count("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    try:
        if row > first and re.match(r"\s*%%mlox\b", lines[first]):
            from mlox.verbs.completing_body import kind_at

            column = len(before) - before.rfind("\n") - 1
            return _about_service(kind_at("\n".join(lines[first + 1 :]), row - first - 1, column, Names()))
        called = CALL.match(lines[row])
        return _about_verb(called.group(1).split()) if called else ""
    except QUIET:
        return ""


def with_help(lines: list[str]) -> list[str]:
    """A cell ``%mlox up?`` means ``%mlox help up``: IPython's own answer is a pager, which headless shows nothing."""
    asked = QUESTION.match(lines[0]) if len([line for line in lines if line.strip()]) == 1 else None
    if asked is None:
        return lines
    verb = _verb(asked.group(1).split())
    name = verb.name if verb is not None else asked.group(1).strip()
    return [f"%mlox help {name}".rstrip() + "\n"]


def _about_verb(words: list[str]) -> str:
    verb = _verb(words)
    return in_a_cell(usage(verb) if verb is not None else overview())


def _verb(words: list[str]) -> Verb | None:
    """The verb that is typed, or None where it is none, or only begun."""
    bare = [word for word in words if not word.startswith("-")]
    try:
        return find_verb(bare)[0] if bare else None
    except UsageError:
        return None


def _about_service(kind: str) -> str:
    """What ``info`` tells of a service of the catalog."""
    return in_a_cell(find_verb(["info"])[0].function(Context(), kind).text()) if kind else ""
