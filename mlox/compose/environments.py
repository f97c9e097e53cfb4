"""The variables of a Compose service: those of its files, and over them its own."""

from __future__ import annotations

from pathlib import Path

from mlox.compose.loading import Raw, read_text, scalar, variables_in
from mlox.compose.parts import Part, Project
from mlox.errors import MloxError


def environment_of(project: Project, part: Part) -> tuple[dict[str, str], set[str]]:
    """The values by name, sorted, and the names of those that a secret variable is in.

    A name without a value is taken from the environment, or is not there.
    """
    forms, variables = project.forms, project.document.variables
    values: dict[str, str] = {}
    raw = part.raw.get("env_file")
    for index, one in enumerate(raw if isinstance(raw, list) else [raw] if raw else []):
        values |= _of_file(project, one, f"{part.path}.env_file.{index}")
    path = f"{part.path}.environment"
    written = part.raw.get("environment")
    for name, value in forms.items(written, path).items():
        given = variables.get(name) if value is None else value
        if given is not None:
            values[name] = given
        elif value is None:
            values.pop(name, None)
    for name in values:
        if not name or "=" in name:
            raise forms.findings.wrong(path, f"{name!r} is no name of a variable")
    places = written if isinstance(written, dict) else dict(enumerate(scalar(one) for one in written or ()))
    tainted = {
        str(place) if isinstance(written, dict) else text.partition("=")[0]
        for place, text in places.items()
        if f"{path}.{place}" in project.document.tainted
    }
    return dict(sorted(values.items())), tainted & values.keys()


def _of_file(project: Project, written: object, path: str) -> dict[str, str]:
    forms = project.forms
    entry: Raw = written if isinstance(written, dict) else {"path": written}
    name = scalar(entry.get("path"))
    format_ = scalar(entry.get("format"))
    if format_ not in ("", "raw"):
        forms.findings.unsupported(f"{path}.format", f"{format_} is not supported")
    try:
        file = project.document.folder / Path(name).expanduser()
        if not forms.flag(entry.get("required", True), f"{path}.required") and not file.exists():
            return {}
        text = read_text(file)
        if format_ == "raw":
            lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
            values = dict(line.partition("=")[::2] for line in lines)
        else:
            values = variables_in(file, text, project.document.variables)
    except (MloxError, RuntimeError, ValueError, OSError) as error:
        problem = error.problem if isinstance(error, MloxError) else f"{name!r} cannot be read"
        hint = "Make it, or write required: false."
        raise forms.findings.wrong(
            path, problem, (error.hint if isinstance(error, MloxError) else None) or hint
        ) from error
    if any("\0" in text for pair in values.items() for text in pair):
        raise forms.findings.wrong(path, f"{name} holds a character that no variable may have")
    return values
