"""What a notebook holds: texts by cell, and the same notebook with the values in its outputs replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlox.matching import Matcher

Json = Any


def is_notebook(content: bytes) -> bool:
    """Whether it is a Jupyter notebook, by what is in it."""
    return _notebook(content) is not None


def notebook_texts(content: bytes) -> Iterator[tuple[str, str]] | None:
    """Where, and the text that stands there; None where it is no notebook.

    Source of the format: https://nbformat.readthedocs.io/en/latest/format_description.html
    """
    notebook = _notebook(content)
    return None if notebook is None else _texts(notebook)


def scrubbed(content: bytes, matcher: Matcher) -> bytes:
    """A notebook with ``***`` for every value in its outputs and metadata; sources and attachments stay.

    What holds no value there comes back as it is, to the byte, and so does what is no notebook.
    """
    notebook = _notebook(content)
    if notebook is None:
        return content
    changed = {**notebook, "cells": [_scrubbed_cell(cell, matcher) for cell in notebook["cells"]]}
    if "metadata" in notebook:
        changed["metadata"] = _redacted(notebook["metadata"], matcher)
    if changed == notebook:
        return content
    text = json.dumps(changed, indent=1, ensure_ascii=False)
    return text.encode(errors="surrogatepass") + (b"\n" if content.endswith(b"\n") else b"")


def _notebook(content: bytes) -> dict[str, Any] | None:
    if not content.lstrip().startswith(b"{"):
        return None
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        return None
    cells = notebook.get("cells") if isinstance(notebook, dict) and "nbformat" in notebook else None
    return notebook if isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells) else None


def _texts(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for number, cell in enumerate(notebook["cells"], start=1):
        yield f"cell {number}", _joined(cell.get("source", ""))
        yield f"cell {number}, output", "\n".join(_outputs(cell))
        yield f"cell {number}, attachment", "\n".join(_leaves(cell.get("attachments")))
        yield f"cell {number}, metadata", "\n".join(_leaves(cell.get("metadata")))
    yield "metadata", "\n".join(_leaves(notebook.get("metadata")))


def _outputs(cell: dict[str, Any]) -> Iterator[str]:
    """Streams of one name as one text: a value may be split over several outputs."""
    outputs = [output for output in cell.get("outputs") or () if isinstance(output, dict)]
    for name in sorted({str(output.get("name")) for output in outputs}):
        yield "".join(_joined(output.get("text", "")) for output in outputs if str(output.get("name")) == name)
    for output in outputs:
        yield from _leaves({key: value for key, value in output.items() if key not in ("name", "text")})


def _joined(text: Json) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _leaves(value: Json) -> Iterator[str]:
    """Every text in it; the lines of one that is written as a list of lines, as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            yield "".join(value)
        else:
            for each in value:
                yield from _leaves(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _leaves(each)


def _scrubbed_cell(cell: dict[str, Any], matcher: Matcher) -> dict[str, Any]:
    changed = dict(cell)
    if isinstance(cell.get("outputs"), list):
        changed["outputs"] = [_redacted(output, matcher) for output in _with_whole_streams(cell["outputs"], matcher)]
    if "metadata" in cell:
        changed["metadata"] = _redacted(cell["metadata"], matcher)
    return changed


def _with_whole_streams(outputs: list[Json], matcher: Matcher) -> list[Json]:
    """The outputs; where a value is split over streams of one name, the first of them has all of their text."""
    whole: list[Json] = []
    for name in ("stdout", "stderr"):
        streams = [
            o for o in outputs if isinstance(o, dict) and o.get("output_type") == "stream" and o.get("name") == name
        ]
        together = "".join(_joined(stream.get("text", "")) for stream in streams)
        apart = "".join(matcher.redacted(_joined(stream.get("text", ""))) for stream in streams)
        if matcher.redacted(together) != apart:
            joined = {**streams[0], "text": together.splitlines(keepends=True)}
            whole = [joined if o is streams[0] else o for o in outputs if not any(o is s for s in streams[1:])]
            outputs = whole
    return outputs


def _redacted(value: Json, matcher: Matcher) -> Json:
    if isinstance(value, str):
        return matcher.redacted(value)
    if isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            together = "".join(value)
            redacted = matcher.redacted(together)
            return value if redacted == together else redacted.splitlines(keepends=True)
        return [_redacted(each, matcher) for each in value]
    if isinstance(value, dict):
        return {matcher.redacted(key): _redacted(each, matcher) for key, each in value.items()}
    return value
