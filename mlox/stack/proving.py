"""What ``add`` does beyond writing code: the services that a component can use are started, its tests are run."""

from __future__ import annotations

import sys

from mlox.components import Place, Record, Template
from mlox.errors import RequirementError
from mlox.plugins import find
from mlox.protocols import Emit, Event, Transport
from mlox.stack.component_changes import Changes
from mlox.stack.components import Components

TESTS_S = 1800.0
SHOWN = 30


def start_services(components: Components, template: Template, emit: Emit) -> tuple[str, ...]:
    """Start what a component can use, and write it into ``mlox.yaml`` where the stack has none; their names there.

    Raises:
        MloxError: one cannot be started; ``up`` again converges.
    """
    stack = components.stack
    names = []
    for wanted in template.spec.services:
        there = [name for name, service in stack.spec().services.items() if service.service == wanted]
        names.append(there[0] if there else stack.add(wanted).name)
    if names:
        stack.up(*names, emit=emit)
    return tuple(names)


def prove(components: Components, record: Record, emit: Emit, *, written: bool) -> tuple[str, ...]:
    """Run the tests that a component brought, with the Python that runs us; the paths of the tests.

    Args:
        written: the component has just been added: it is taken out again where a test fails.

    Raises:
        RequirementError: a test failed, or pytest is not installed.
    """
    tests = tuple(path for path, file in record.files.items() if file.template.startswith("tests/"))
    if not tests:
        return ()
    emit(Event(record.name, "running its tests"))
    transport: Transport = find("transports", "local")()
    root = components.tree.root
    path, project = str(root / Place.of(record).path), root / record.project
    argv = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(project))
    done = transport.run(
        (*argv, *(str(root / test) for test in tests)),
        timeout_s=TESTS_S,
        environment={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.code == 0:
        return tests
    if written:
        Changes(components).undo(emit=emit)
    last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-SHOWN:])
    raise RequirementError(
        f"the tests of {record.name} fail{'; it was taken out again' if written else ''}\n{last}",
        hint=f"Install what it needs (mlox add {record.name} --install, and pytest), or leave --verify out.",
    )
