"""Who sits in front of the cell: whether somebody looks, and can be asked."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from mlox.secret import Secret

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def in_kernel(shell: InteractiveShell) -> bool:
    """Whether this is a Jupyter kernel; else it is IPython in a terminal, or embedded somewhere."""
    return getattr(shell, "kernel", None) is not None


def in_terminal(shell: InteractiveShell) -> bool:
    """Whether this is IPython in a terminal, whose output is text that nobody saves."""
    return any(cls.__name__ == "TerminalInteractiveShell" for cls in type(shell).__mro__)


def somebody_there(shell: InteractiveShell) -> bool:
    """Whether a person is in front of the cell that runs now.

    A front end says with each request whether it can put a question (``allow_stdin``): JupyterLab can, nbclient,
    papermill, nbmake and nbval cannot. Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute
    """
    if in_kernel(shell):
        request: dict[str, Any] = getattr(shell, "get_parent", dict)()
        return bool(request.get("content", {}).get("allow_stdin"))
    return in_terminal(shell)


def ask_secret(name: str) -> Secret:
    """Ask for a secret without an echo; in a kernel, ``getpass`` asks through the front end."""
    return Secret(getpass.getpass(f"{name} (not shown): "))
