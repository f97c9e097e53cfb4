"""What the Tab key offers in ``%mlox`` lines and in the YAML of a ``%%mlox`` cell."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from mlox.verbs.completing import QUIET, Candidate, Names, complete

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

LINE = re.compile(r"^\s*(?:[\w.,\s\[\]'\"()*]+=\s*)?(?:%{1,2}|!{1,2})mlox[ \t](.*)$")
"""A line up to the cursor that calls mlox, also behind ``name =``; its first group are the words so far."""

TYPES = {"verb": "function", "option": "param", "name": "instance", "value": "instance", "key": "keyword"}
"""How a front end marks a candidate, in the words that it knows from Jedi."""


class Completion:
    """The matcher of one shell, and how it is registered."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self.matches(context)

        self._matcher: Any = context_matcher(identifier="mlox", priority=100)(matcher)

    def register(self) -> None:
        """Offer words of mlox from now on."""
        self.shell.Completer.custom_matchers.append(self._matcher)

    def unregister(self) -> None:
        """Offer them no longer."""
        self.shell.Completer.custom_matchers.remove(self._matcher)

    def matches(self, context: CompletionContext) -> SimpleMatcherResult:
        """What fits at the cursor; nothing outside of mlox's lines and cells, and where a file is broken."""
        try:
            partial, found = self._found(context.full_text.split("\n"), context.cursor_line, context.cursor_position)
        except QUIET:
            found = ()
        if not found:
            return SimpleMatcherResult(completions=[])
        completions = [SimpleCompletion(one.text, type=TYPES[one.kind]) for one in found]
        return SimpleMatcherResult(completions=completions, matched_fragment=partial, suppress=True, ordered=True)

    def _found(self, lines: list[str], row: int, column: int) -> tuple[str, tuple[Candidate, ...]]:
        first = next((index for index, line in enumerate(lines) if line.strip()), 0)
        if row > first and re.match(r"\s*%%mlox\b", lines[first]):
            from mlox.verbs.completing_body import complete_body

            names = Names.for_line(_words(lines[first].split(maxsplit=1)[-1]))
            text = "\n".join(lines[first + 1 :])
            hidden = self.shell.user_ns_hidden
            variables = {name: value for name, value in self.shell.user_ns.items() if name not in hidden}
            return complete_body(text, row - first - 1, column, names, variables=variables, environment=os.environ)
        called = LINE.match(lines[row][:column])
        if called is None:
            return "", ()
        words = _words(called.group(1))
        if not called.group(1).endswith(words[-1]):  # a word with quotation marks or backslashes in it
            return "", ()
        return words[-1], complete(words, Names.for_line(words))


def _words(text: str) -> list[str]:
    """The words of a line so far; the last one may be empty. Within quotation marks there is nothing to offer.

    Raises:
        ValueError: a quotation mark is open.
    """
    words = shlex.split(text)
    return words if text[-1:] not in ("", " ", "\t") else [*words, ""]
