"""How an image gets its pin: one that somebody publishes by its digest, one that is built here by its own id."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlox.backends.docker.site import Site
from mlox.errors import CommandError, RequirementError, SpecError
from mlox.protocols import Emit, Event
from mlox.units import Software

LINES = 15
BUILD_S = 3600


def pin(site: Site, software: Software, emit: Emit, *, service: str = "") -> Software:
    """``software`` at the one image that it means from now on.

    Raises:
        RequirementError: it is not to be had.
        CommandError: it cannot be built; the problem ends with the last lines.
    """
    if not software.image or software.pins:
        return software
    made = _built(site, software, emit, service) if software.build else site.images.pin(software.image, emit)
    return replace(software, pins=(made,))


def _built(site: Site, software: Software, emit: Emit, service: str) -> str:
    values = dict(software.build)
    context = Path(values["context"])
    if not context.is_dir():
        raise SpecError(f"{context}, from which {software.image} is built, is no folder", hint="Check build.context.")
    arguments = {key.partition(".")[2]: value for key, value in values.items() if key.startswith("args.")}
    emit(Event(service, f"building {software.image}"))
    written: list[str] = []
    ended = threading.Event()
    with site.engine.asked(f"build {software.image}") as api, site.ending(ended.set):
        stream = api.build(
            path=str(context),
            tag=software.image,
            dockerfile=values.get("dockerfile") or None,
            target=values.get("target") or None,
            buildargs=arguments or None,
            rm=True,
            forcerm=True,
            decode=True,
            timeout=BUILD_S,
        )
        identity = _followed(stream, written, ended, emit, service, software.image)
        return str(api.inspect_image(identity or software.image)["Id"])  # type: ignore[no-untyped-call]


def _followed(
    stream: Iterator[Mapping[str, Any]],
    written: list[str],
    ended: threading.Event,
    emit: Emit,
    service: str,
    image: str,
) -> str:
    """Read what the engine tells of a build to its end; the id of the image, where it is told."""
    identity = ""
    for line in stream:
        if ended.is_set():
            raise CommandError(f"the build of {image} was ended on request", hint="Run the same command again.")
        text = str(line.get("stream") or "").strip()
        if text:
            written.append(text)
            if text.startswith("Step "):
                emit(Event(service, f"building {image}: {text}", fraction=_share(text)))
        if isinstance(line.get("aux"), Mapping):
            identity = str(line["aux"].get("ID") or identity)
        if "error" in line:
            last = "\n".join(f"  {each}" for each in written[-LINES:])
            problem = f"{image} cannot be built: {str(line['error']).strip()}:\n{last}"
            error = RequirementError if "pull access denied" in problem else CommandError
            raise error(problem, hint="Mend the Dockerfile, then run the same command again.")
    return identity


def _share(step: str) -> float | None:
    """How far a build is, from ``Step 2/5 : RUN ...``.

    Example:
        >>> _share("Step 2/5 : RUN true")
        0.2
    """
    done, slash, most = step.split()[1].partition("/")
    if slash and done.isdigit() and most.isdigit() and int(most):
        return (int(done) - 1) / int(most)
    return None
