"""How root starts a command as another account, without a fork of its own process.

``subprocess.Popen(user=...)`` forks, and what libraries do around a fork may end the child: beside a busy channel of
gRPC 1.85.1, 8 of 500 commands ended so (SIGABRT, SIGSEGV), and none of 500 without a change of account, which Python
starts with ``vfork``. So a small Python is started that way, which becomes the other account, and then the command.

Source: https://github.com/grpc/grpc/blob/master/doc/fork_support.md
"""

from __future__ import annotations

import contextlib
import marshal
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_BECOMES = Path(__file__).with_name("become.py")


def start_as(
    account: pwd.struct_passwd, argv: Sequence[str], environment: Mapping[str, str], **settings: Any
) -> subprocess.Popen[bytes]:
    """Start a command as another account, in ``/``, with this environment and nothing of ours.

    What is to be run goes through a socket: an environment with secrets stands on no command line, and one with
    ``LD_PRELOAD`` changes nothing of what is root still. ``settings`` are of ``subprocess.Popen``.

    Raises:
        OSError: there is no such program, or it may not be run.
    """
    groups = os.getgrouplist(account.pw_name, account.pw_gid)
    wanted: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "groups": groups}
    wanted |= {"argv": [os.fsencode(word) for word in argv]}
    wanted |= {"environment": {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}}
    ours, theirs = socket.socketpair()
    with ours, contextlib.ExitStack() as unless_it_runs:
        with theirs:
            handle = theirs.fileno()
            own = (sys.executable, "-I", "-S", str(_BECOMES), str(handle))
            process = subprocess.Popen(own, env={}, cwd="/", pass_fds=(handle,), **settings)
        unless_it_runs.enter_context(process)
        unless_it_runs.callback(process.kill)
        ours.sendall(marshal.dumps(wanted))
        ours.shutdown(socket.SHUT_WR)
        if said := ours.recv(16):
            raise OSError(int(said), os.strerror(int(said)))
        unless_it_runs.pop_all()
    return process
