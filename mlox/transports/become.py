"""Becomes another account, then a command: what :mod:`mlox.transports.becoming` starts.

Its argument is the descriptor of a socket: from it come the account, the command and its environment; the number of an
error goes back. It imports next to nothing, since every command as another account waits for that.
"""

import errno
import marshal
import os
import sys
from _signal import SIG_DFL, SIGPIPE, SIGXFSZ, signal  # type: ignore[import-not-found]


def main(asked: int) -> None:
    """Read what is wanted, and be it; the socket closes with that."""
    os.set_inheritable(asked, False)
    with os.fdopen(os.dup(asked), "rb") as file:
        wanted = marshal.load(file)  # noqa: S302
    for ignored in (SIGPIPE, SIGXFSZ):  # by Python itself, and a command inherits that
        signal(ignored, SIG_DFL)
    os.get_exec_path(wanted["environment"])  # imports what the other account may not be allowed to read
    try:
        os.setgroups(wanted["groups"])
        os.setgid(wanted["group"])
        os.setuid(wanted["user"])
        os.execvpe(wanted["argv"][0], wanted["argv"], wanted["environment"])  # noqa: S606
    except OSError as error:
        os.write(asked, str(error.errno).encode())
        sys.exit(127)
    except ValueError:  # a word with a zero byte in it
        os.write(asked, str(errno.EINVAL).encode())
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]))
