"""How a service is tried out: put into a scratch stack with what it needs, then point after point."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mlox.catalog import Catalog
from mlox.errors import CommandError, MloxError, SpecError
from mlox.protocols import Emit, Event
from mlox.specs import CatalogService
from mlox.worksheet import points
from mlox.worksheet.holding import NotTriedError, Trial
from mlox.worksheet.points import Result
from mlox.worksheet.scratch import Scratch, scratch

SERVER = {"native": "local", "docker": "docker"}


@dataclass(frozen=True, slots=True)
class Way:
    """How a service is tried out.

    Attributes:
        options: ``NAME=VALUE`` texts for it.
        write: a shell's command by which its client writes; ``read``: one that prints what the client finds. Both run
            in the folder ``here``.
    """

    backend: str
    options: Sequence[str] = ()
    write: str | None = None
    read: str | None = None
    here: str | None = None


def try_out(path: Path, way: Way, *, emit: Emit) -> tuple[Result, ...]:
    """What came of each point, in order; after one without which the rest makes no sense, the rest is not tried.

    Args:
        path: the service's file.

    Raises:
        SpecError: the file is wrong, or the service does not run on that back end.
        WorkspaceError: a scratch stack cannot be made.
    """
    entry = _entry(path)
    if way.backend not in entry.backends:
        raise SpecError(
            f"{path}: {entry.name} does not run on {way.backend}", hint=f"Choose: --backend {entry.backends[0]}."
        )
    with scratch() as here:
        trial = _prepared(here, path, entry, way)
        tell = partial(_tell, emit, entry.name)
        client: Mapping[str, Callable[[], str]] = {
            "its client writes and reads": lambda: points.its_client_writes(trial)
        }
        steps: Mapping[str, Callable[[], str]] = {
            "up: it becomes healthy": lambda: points.comes_up(trial),
            **(client if way.write or way.read else {}),
            "a second up has nothing to do": lambda: points.nothing_to_do(trial),
            "dry runs and plans change nothing": lambda: points.dry_runs_are_inert(trial),
            "secrets are in no process list, log or open file": lambda: points.secrets_stay_secret(trial),
            "killed, it comes back": lambda: points.heals(trial),
            "down keeps its data": lambda: points.keeps_its_data(trial),
            "backup, down --purge, restore: the same data": lambda: points.comes_back_from_a_backup(trial),
            "mlox killed on the way: the next up gets there": lambda: points.survives_kills(trial, tell),
            "down --purge leaves nothing": lambda: points.purge_leaves_nothing(trial),
        }
        return _tried(steps, entry.name, emit)


def _tried(steps: Mapping[str, Callable[[], str]], name: str, emit: Emit) -> tuple[Result, ...]:
    results: list[Result] = []
    for point, look in steps.items():
        if results and results[0].state == "failed":
            results.append(Result(point, "not tried", "it did not come up"))
            continue
        emit(Event(name, point))
        try:
            wrong = look()
        except NotTriedError as error:
            results.append(Result(point, "not tried", str(error)))
            emit(Event(name, f"not tried: {point}: {error}"))
            continue
        except MloxError as error:
            wrong = " ".join(filter(None, (error.problem, error.hint)))
        results.append(Result(point, "failed" if wrong else "ok", wrong))
        emit(Event(name, f"{'failed' if wrong else 'ok'}: {point}", kind="failed" if wrong else "done"))
    return tuple(results)


def _entry(path: Path) -> CatalogService:
    """The service of a file.

    Raises:
        SpecError: it is wrong, or it would not be read since mlox has a service of that name.
    """
    catalog = Catalog([path.parent])
    entry, counts = catalog.get(path.stem).service, catalog.path(path.stem)
    if counts is not None and counts.read_bytes() != path.read_bytes():
        raise SpecError(
            f"mlox has a service {path.stem!r} of its own, which counts; {path} is not read",
            hint="Give the file and the service in it another name.",
        )
    return entry


def _prepared(here: Scratch, path: Path, entry: CatalogService, way: Way) -> Trial:
    """The scratch stack with the file, its neighbours, what it needs, and the secrets that a person would set."""
    folder = here.folder / "services"
    folder.mkdir()
    for each in path.parent.glob("*.yaml"):
        if Catalog().path(each.stem) is None:
            (folder / each.name).write_bytes(each.read_bytes())
    here.done("init", "worksheet")
    on = ("--on", SERVER[way.backend])
    catalog = Catalog([folder])
    for need, spec in entry.needs.items():
        if spec.embedded is None:
            here.done("add", _provider(catalog, entry, need, way.backend), *on)
    chosen = [word for option in way.options for word in ("--set", option)]
    here.done("add", entry.name, *on, *chosen)
    for key, secret in entry.secrets.items():
        if not (secret.generate or secret.optional):
            here.done("secrets", "set", f"{entry.name}.{key}", "--generate", str(20 + secrets.randbelow(5)))
    return Trial(here, entry.name, ("up",), way.write, way.read, way.here, dumps=entry.backup is not None)


def _provider(catalog: Catalog, entry: CatalogService, need: str, backend: str) -> str:
    """A service of the catalog that meets a need by itself."""
    capability = entry.needs[need].capability
    for other in catalog.readable():
        if other.name != entry.name and capability in other.provides and backend in other.backends:
            return other.name
    raise CommandError(
        f"{entry.name} needs {capability}, which nothing in the catalog provides on {backend}",
        hint="Put the file of a service that does beside it.",
    )


def _tell(emit: Emit, name: str, text: str) -> None:
    emit(Event(name, text))
