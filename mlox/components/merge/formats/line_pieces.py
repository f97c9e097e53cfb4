"""How the formats of lines are cut into pieces: ``.env``, requirements, Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlox import dotenv
from mlox.components.merge.formats.pieces import (
    MAX_CHARS,
    MAX_PIECES,
    Body,
    Leaf,
    Piece,
    UnreadableError,
    keys_checked,
)

MAX_LINES_OF_A_VALUE = 200
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_OPTION = re.compile(r"--?[A-Za-z][\w-]*")
_HASH = re.compile(r"\s--hash[= ](\S+)")
_FROM = re.compile(r"(?is)\s*FROM\b.*?(?:\sAS\s+(\S+))?\s*$")
_WORD = re.compile(r"\s*([A-Za-z]+)\b")
_ONE = re.compile(r"(?is)\s*(ENV|ARG|LABEL)\s+([\w.-]+)(?:=(?:\"[^\"]*\"|'[^']*'|[^\s=]*))?\s*$")
_HEREDOC = re.compile(r"<<-?(['\"]?)(\w+)\1")


def env_pieces(text: str) -> Body:
    """The names of an ``.env`` text, which ends with a line end.

    Raises:
        UnreadableError: a line is broken, a name stands twice, or it is too large.
    """
    lines, pieces, lead, at = _lines(text), [], "", 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            lead += lines[at]
            at += 1
            continue
        whole, found = _env_entry(lines, at)
        (name, entry), *more = found.items()
        if more:
            raise UnreadableError("two names in one line")
        head = whole[: whole.index(name) + len(name)]
        value = Leaf(whole[len(head) :].rstrip("\n"), (entry.text, entry.open, entry.inherited))
        pieces.append(Piece(name, lead, head, value, trail="\n"))
        at, lead = at + whole.count("\n"), ""
    return keys_checked(Body("map", tuple(pieces), closing=lead))


def _env_entry(lines: list[str], at: int) -> tuple[str, dict[str, dotenv.Entry]]:
    """The text of the entry that begins in a line, which may go on over lines, and what it says."""
    for end in range(at + 1, min(len(lines), at + MAX_LINES_OF_A_VALUE) + 1):
        whole = "".join(lines[at:end])
        try:
            return whole, dotenv.parse(whole)
        except ValueError as error:
            if "not closed" not in str(error):
                raise UnreadableError(str(error)) from error
    raise UnreadableError("a quotation mark is not closed")


def requirement_pieces(text: str) -> Body:
    """The requirements and options of a pip file, which ends with a line end; names are canonical.

    Raises:
        UnreadableError: a line is no requirement, one stands twice, or it is too large.
    """
    pieces: list[Piece] = []
    lead = ""
    for whole in _logical(_lines(text), blank_ends=False):
        if whole.lstrip().startswith("#") and whole[0] in " \t" and pieces and not lead:
            pieces[-1] = replace(pieces[-1], trail=pieces[-1].trail + whole)  # as pip-compile's "# via"
        elif not whole.strip() or whole.lstrip().startswith("#"):
            lead += whole
        else:
            joined = whole.replace("\\\n", " ")
            said = _COMMENT.sub("", joined).strip()
            key, meaning = _requirement(said)
            cut = _COMMENT.search(whole) if whole.count("\n") == 1 else None
            value = whole[: cut.start()].rstrip() if cut else whole.rstrip("\n")
            pieces.append(Piece(key, lead, "", Leaf(value, meaning), trail=whole[len(value) :]))
            lead = ""
    return keys_checked(Body("map", tuple(pieces), closing=lead))


def _requirement(said: str) -> tuple[Hashable, Hashable]:
    """The key of a line, and what it asks for."""
    if option := _OPTION.match(said):
        return ("option", " ".join(said.split())), option.group()
    hashes = frozenset(_HASH.findall(said))
    try:
        found = Requirement(_HASH.sub("", said).strip())
    except InvalidRequirement:
        if re.match(r"[./~\w:+@%-]+$", said) and ("/" in said or said.endswith((".whl", ".tar.gz", ".zip"))):
            return ("path", said), said
        raise UnreadableError("no requirement") from None
    marker = str(found.marker or "")
    name = canonicalize_name(found.name)
    versions = (str(found.specifier), found.url)
    return (name, marker) if marker else name, (name, frozenset(found.extras), versions, hashes)


def dockerfile_pieces(text: str) -> Body:
    """The stages of a Dockerfile, which ends with a line end, and their instructions.

    Raises:
        UnreadableError: it is too large, or has another escape than a backslash.
    """
    if re.match(r"(?i)#\s*escape\s*=\s*`", text):
        raise UnreadableError("lines go on behind a backtick")
    stages: list[tuple[Hashable, list[Piece], str]] = [("", [], "")]
    lead = ""
    for whole in _logical(_lines(text), blank_ends=True):
        if not whole.strip() or whole.lstrip().startswith("#"):
            lead += whole
            continue
        word = _WORD.match(whole)
        if word is None:
            raise UnreadableError("no instruction")
        joined = re.sub(r"\\\n(?:[ \t]*#[^\n]*\n)*", " ", whole)
        if word[1].upper() == "FROM" and (start := _FROM.match(joined)):
            stages.append((start[1] or f"#{len(stages)}", [], ""))
        sort = word[1].upper()
        one = _ONE.match(joined)
        key = (sort, one[2]) if one else ("FROM",) if sort == "FROM" else None
        value = whole.rstrip("\n")
        meaning = (sort, " ".join(joined.split()[1:]) if "<<" not in joined else joined)
        stages[-1][1].append(Piece(key, lead, "", Leaf(value, meaning), trail=whole[len(value) :], sort=sort))
        lead = ""
    last = len(stages) - 1
    parts = [
        Piece(("stage", name), "", "", Body("list", tuple(pieces), closing=lead if number == last else ""))
        for number, (name, pieces, _) in enumerate(stages)
    ]
    return keys_checked(Body("list", tuple(parts)))


def _lines(text: str) -> list[str]:
    if len(text) > MAX_CHARS or text.count("\n") > MAX_PIECES:
        raise UnreadableError("too large")
    return [f"{line}\n" for line in text.split("\n")[:-1]]


def _logical(lines: list[str], *, blank_ends: bool) -> Iterator[str]:
    """Lines, with those that go on behind a backslash or in a here-document taken together."""
    at = 0
    while at < len(lines):
        end = at + 1
        is_comment = lines[at].lstrip().startswith("#")
        while not is_comment and end < len(lines) and _goes_on(lines[end - 1], comments=blank_ends and end > at + 1):
            end += 1
        whole = "".join(lines[at:end])
        for _, word in _HEREDOC.findall(whole) if blank_ends and not is_comment else ():
            while end < len(lines) and lines[end].strip() != word:
                end += 1
            if end == len(lines):
                raise UnreadableError("a here-document has no end")
            end += 1
        yield "".join(lines[at:end])
        at = end


def _goes_on(line: str, *, comments: bool) -> bool:
    """Whether the line below belongs to this one; in a Dockerfile a comment between such lines ends nothing."""
    return line.rstrip().endswith("\\") or (comments and line.lstrip().startswith("#"))
