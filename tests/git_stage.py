"""A git repository around the current folder, and notebooks in it that hold a value where a notebook can."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MLOX = f"{sys.executable} -m mlox"
WHO = {
    "GIT_AUTHOR_NAME": "ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(*words: str, code: int = 0) -> str:
    """Run git here, with nobody's settings; what it printed and complained."""
    done = subprocess.run(
        ("git", *words), env={**os.environ, **WHO}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(path: str, content: str, *, message: str = "change", code: int = 0) -> str:
    """Write a file and commit it; what git said."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content)
    git("add", path)
    return git("commit", "-m", message, code=code)


def notebook(**parts: Any) -> dict[str, Any]:
    """A notebook of one code cell; ``parts`` are its source, outputs, cell metadata, attachments, metadata."""
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": parts.get("cell_metadata", {}),
        "outputs": parts.get("outputs", []),
        "source": parts.get("source", "1"),
    }
    if "attachments" in parts:
        cell["attachments"] = parts["attachments"]
    return {"cells": [cell], "metadata": parts.get("metadata", {}), "nbformat": 4, "nbformat_minor": 5}


def planted(value: str) -> dict[str, dict[str, Any]]:
    """Notebooks by the place where each holds the value."""
    encoded = base64.b64encode(f"ab{value}".encode()).decode()
    result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
    halves = [{"output_type": "stream", "name": "stdout", "text": [part]} for part in (value[:5], value[5:])]
    state = {"m": {"model_name": "TextModel", "state": {"value": value}}}
    return {
        "cell 1": notebook(source=["x = (\n", f"    '{value}')"]),
        "cell 1, output": notebook(outputs=[{**result, "data": {"text/plain": [f"'{value}'"]}}]),
        "stream": notebook(outputs=[{"output_type": "stream", "name": "stdout", "text": f"a\n{value}\n"}]),
        "split": notebook(outputs=[halves[0], {**result, "data": {"text/plain": "1"}}, halves[1]]),
        "error": notebook(
            outputs=[{"output_type": "error", "ename": "E", "evalue": value, "traceback": [f"\x1b[31m{value}\x1b[0m"]}]
        ),
        "json": notebook(outputs=[{**result, "data": {"application/json": {"deep": [{value: value}]}}}]),
        "html": notebook(outputs=[{**result, "data": {"text/html": [f"<b>{value}", "</b>"]}}]),
        "base64": notebook(outputs=[{**result, "data": {"text/plain": encoded}}]),
        "output metadata": notebook(outputs=[{**result, "data": {}, "metadata": {"note": value}}]),
        "cell 1, metadata": notebook(cell_metadata={"note": {"deep": value}}),
        "metadata": notebook(
            metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {"state": state, "version_major": 2}}}
        ),
        "cell 1, attachment": notebook(attachments={"a.txt": {"text/plain": encoded}}),
    }


def written(content: dict[str, Any]) -> str:
    """A notebook as nbformat writes it."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
