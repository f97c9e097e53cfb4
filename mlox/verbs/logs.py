"""The verb logs: what services wrote, together, filtered, and as it is written."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from mlox.errors import UsageError
from mlox.values import Value
from mlox.verbs.context import Context
from mlox.verbs.table import verb
from mlox.verbs.watching import duration

if TYPE_CHECKING:
    from mlox.stack.logs import Wanted


@verb("logs", group="stack")
def logs(
    ctx: Context,
    names: Annotated[tuple[str, ...], "services; none means all"] = (),
    *,
    lines: Annotated[int | None, "how many of the last lines of each; by default 100, with --since all"] = None,
    follow: Annotated[bool, "go on with new lines until interrupted; with --json an object on a line for each"] = False,
    grep: Annotated[str | None, "only lines in which this regular expression is found"] = None,
    since: Annotated[str | None, "only lines of the last 10m, or since 2026-11-22T15:00, where they have times"] = None,
) -> Value:
    """Show what services wrote, secrets masked; several together, each line behind its service's name."""
    from mlox.stack.logs import Wanted

    stack = ctx.stack()
    stack.workspace.read()
    wanted = Wanted(_lines(lines), _pattern(grep), _since(since))
    if follow:
        return _followed(ctx, names, wanted)
    from mlox.stack.logs import read_logs

    return read_logs(stack.surroundings(), names, wanted)


def _followed(ctx: Context, names: tuple[str, ...], wanted: Wanted) -> Value:
    from mlox.stack.following import Following
    from mlox.values.logs import Stream

    following = Following(ctx.stack().surroundings, names, wanted)
    return Stream(following.lines(), following.labels())


def _lines(lines: int | None) -> int | None:
    if lines is not None and lines < 0:
        raise UsageError(f"--lines {lines}: fewer than none", hint="Write a number from 0 on, as in --lines 50.")
    return lines


def _pattern(grep: str | None) -> re.Pattern[str] | None:
    """The regular expression.

    Raises:
        UsageError: it is none.
    """
    if grep is None:
        return None
    try:
        return re.compile(grep)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(
            f"--grep {grep!r} is no regular expression: {error}",
            hint=f"Write a backslash before signs that mean themselves: --grep '{re.escape(grep)}'.",
        ) from error


def _since(since: str | None) -> float | None:
    """A moment in seconds since the epoch; a time without a zone is in the zone of this machine.

    Raises:
        UsageError: it is neither a duration nor a time.
    """
    if since is None:
        return None
    try:
        return datetime.fromisoformat(re.sub("[zZ]$", "+00:00", since)).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return time.time() - duration("--since", since)
    except UsageError:
        hint = "Write it as in --since 10m, or --since 2026-11-22T15:00:00."
        raise UsageError(f"--since {since}: neither a duration nor a time", hint=hint) from None
