"""Which names and values a secret may have, and what every store says where there is none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from mlox.errors import SecretError, SecretNotFoundError
from mlox.secret import Secret

MAX_NAME = 120
_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_.-]{{0,{MAX_NAME - 1}}}")
_RULE = (
    f"Choose a name of up to {MAX_NAME} letters, digits, '_', '.' and '-' (no accents) "
    "that begins with a letter or '_', such as OPENAI_API_KEY."
)


def is_name(name: str) -> bool:
    """Whether a secret can have this name.

    Example:
        >>> is_name("OPENAI_API_KEY"), is_name("../etc/passwd")
        (True, False)
    """
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Refuse a name that no store can keep.

    Raises:
        SecretError: the name breaks the rule that the hint states.
    """
    if not is_name(name):
        raise SecretError(f"{_shown(name)} cannot be the name of a secret", hint=_RULE)


def content_of(name: str, secret: Secret) -> bytes:
    """The text of ``secret`` in UTF-8, where a store can keep it exactly.

    Raises:
        SecretError: it is empty, or holds half a surrogate pair, which UTF-8 has no bytes for.
    """
    try:
        content = secret.reveal().encode()
    except UnicodeEncodeError:
        content = None  # raised below, outside this block: the caught error carries the value
    if content is None:
        raise SecretError(
            f"the value for secret {name!r} is not valid Unicode text",
            hint="Encode binary values as text first, for example with base64.",
        )
    if not content:
        raise SecretError(
            f"the value for secret {name!r} is empty",
            hint=f"Give a value, or remove it with: mlox secrets remove {name}",
        )
    return content


def not_found(name: str, known: Sequence[str]) -> SecretNotFoundError:
    """The error for a name that a store does not have; the hint names the nearest of ``known``.

    Example:
        >>> not_found("openai_key", ["OPENAI_API_KEY"]).hint
        "Did you mean 'OPENAI_API_KEY'?"
    """
    if not is_name(name):
        return SecretNotFoundError(f"no secret {_shown(name)}", hint=_RULE)
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    hint = f"Did you mean {by_lower[near[0]]!r}?" if near else f"Set it with: mlox secrets set {name}"
    return SecretNotFoundError(f"no secret {name!r}", hint=hint)


def version_not_found(name: str, version: str, known: Sequence[str]) -> SecretNotFoundError:
    """The error for a version that a secret does not have; ``known`` is oldest first."""
    last = ", ".join(list(known)[:-6:-1])
    return SecretNotFoundError(
        f"secret {name!r} has no version {version!r}", hint=f"Choose one of (newest first): {last}."
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= MAX_NAME else f"{name[:20]}...")
