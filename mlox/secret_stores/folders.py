"""How secrets are folders on a disk: a folder each, named so that no disk confuses two, put aside before it goes."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from mlox.errors import SecretError
from mlox.journal import sync_folder
from mlox.secret_stores.names import is_name

_DELETED = ".deleted-"


def encoded(name: str) -> str:
    """The folder's name, for disks that ignore case: lower case, with a ``+`` where upper case begins or ends.

    Example:
        >>> encoded("OPENAI_API_KEY"), encoded("openAi")
        ('+openai_api_key', 'open+a+i')
    """
    text, upper = "", False
    for character in name:
        if character.isalpha() and character.isupper() != upper:
            text, upper = f"{text}+", not upper
        text += character.lower()
    return text


def decoded(folder: str) -> str | None:
    """The name that a folder stands for; None where it is not one of ours."""
    parts = folder.split("+")
    name = "".join(part.upper() if index % 2 else part for index, part in enumerate(parts))
    return name if is_name(name) and encoded(name) == folder else None


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in ``folder``; nothing where there is none.

    Raises:
        SecretError: it cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(folder, error) from error


def delete_folder(folder: Path, name: str) -> None:
    """Remove the folder of a secret with all that is in it, in one step; then what deletes that were killed left.

    Raises:
        FileNotFoundError: another process was quicker.
        OSError: it cannot be removed.
    """
    (folder / encoded(name)).rename(folder / f"{_DELETED}{secrets.token_hex(6)}")
    sync_folder(folder)
    clear_deleted(folder)


def clear_deleted(folder: Path) -> None:
    """Remove what a delete put aside, also one that was killed before it came to it."""
    for entry in entries(folder):
        if entry.name.startswith(_DELETED):
            aside = folder / entry.name
            for file in entries(aside):
                (aside / file.name).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                aside.rmdir()


def text_in(content: bytes, path: Path) -> str:
    """The text that was sealed in the file ``path``.

    Raises:
        SecretError: it is none.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        pass  # raised below, outside this block: the caught error carries the value
    raise SecretError(f"what is sealed in {path} is not text", hint="Set the secret again, with text.")


def unreadable(path: Path, error: OSError) -> SecretError:
    """The error for a file or a folder that cannot be read."""
    return SecretError(
        f"cannot read {path}: {error.strerror or error}",
        hint="Make it readable to you, or move what stands in its place.",
    )
