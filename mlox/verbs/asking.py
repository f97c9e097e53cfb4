"""How the words of ``add`` and ``up`` become what is asked of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlox.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlox.components.views import FileDiff
    from mlox.stack import Asked, Stack
    from mlox.verbs.context import Context


def confirm_diffs(ctx: Context, diffs: Iterable[FileDiff]) -> None:
    """Show what is about to be written into files of the user's own, and go on only with a yes; see ``ctx.confirm``."""
    from mlox.values.differences import Differences, differing

    files = differing(diffs)
    if files and not ctx.yes:
        ctx.show(Differences(files))
        ctx.confirm(f"This is written into what you edited: {', '.join(files)}.")


def asked_for(
    stack: Stack,
    word: str,
    *,
    as_: str | None = None,
    on: str | None = None,
    set_: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
) -> Asked:
    """``NAME`` or ``NAME@VERSION`` with the options of ``add`` and ``up``; NAME may be one of the stack's own.

    Raises:
        UnknownNameError: neither the stack nor the catalog has it.
        SpecError, UsageError: an option does not fit.
    """
    from mlox.stack import Asked, read_assignments

    name, _, version = word.partition("@")
    if word.endswith("@") or not name:
        raise UsageError(f"{word!r} is not NAME or NAME@VERSION", hint="For example: mlflow, or mlflow@3.17.0.")
    around = stack.surroundings()
    written = around.spec.services.get(as_ or name)
    catalog_name = written.service if written is not None and as_ is None else name
    if catalog_name == name and name not in around.catalog.names():
        raise UnknownNameError.among("service", name, {*around.catalog.names(), *around.spec.services})
    service = around.catalog.get(catalog_name).service
    own_name = as_ or (name if written is not None and name != catalog_name else None)
    return Asked(catalog_name, version or None, own_name, on, _read_needs(needs), read_assignments(set_, service))


def _read_needs(texts: tuple[str, ...]) -> dict[str, str]:
    """The wiring in ``--needs need=service`` texts."""
    pairs = [text.partition("=") for text in texts]
    wrong = next((text for text, (need, _, name) in zip(texts, pairs, strict=True) if not need or not name), None)
    if wrong is not None:
        raise UsageError(f"--needs takes NEED=SERVICE, not {wrong!r}", hint="For example: --needs database=postgres.")
    return {need: name for need, _, name in pairs}
