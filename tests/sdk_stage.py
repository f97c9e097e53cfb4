"""A stack with two services of its own, for scripts: a base and an app, on a machine where neither really runs."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import mlox
from mlox.testing import FakeBackend

STORE = """\
name: {name}
version: "1"
summary: keeps {capability}
secrets: {{password: {{generate: 16}}}}
ports: {{main: {{port: {port}, scheme: {capability}}}}}
needs: {needs}
provides: {{{capability}: {{url: {{scheme: {capability}, port: main, user: me, password: "${{secret.password}}"}}}}}}
units:
  server:
    native:
      binary: {{name: sh, version_argv: [sh, -c, echo v1], version_pattern: 'v(.*)'}}
      command: [sh, -c, sleep 1000]
    environment: {{PASSWORD: "${{secret.password}}", UP: "{up}"}}
client:
  environment: {{{variable}_HOST: "${{host.main}}:${{port.main}}", {variable}_PASSWORD: "${{secret.password}}"}}
  preferences: {{{variable}_QUIET: "true"}}
  package: {name}-client
  object: {name}_client:connect
  arguments: {{url: "${{url.main}}"}}
"""


@pytest.fixture
def stack(machine: FakeBackend, isolated: Path) -> mlox.Stack:
    """A stack whose workspace has two services of its own: a base, and an app that needs one."""
    del machine
    folder = isolated / "services"
    folder.mkdir()
    base = STORE.format(name="base", capability="base", port=7000, needs="{}", up="", variable="BASE")
    needs = "{below: {capability: base}}"
    app = STORE.format(name="app", capability="app", port=7100, needs=needs, up="${need.below.url}", variable="APP")
    (folder / "base.yaml").write_text(base)
    (folder / "app.yaml").write_text(app)
    return mlox.Stack("churn")


@pytest.fixture
def given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ``use`` sets is undone with the test."""
    monkeypatch.setattr("mlox.stack.environment._set", {})
    for name in ("BASE", "APP"):
        for end in ("HOST", "PASSWORD", "QUIET"):
            monkeypatch.setenv(f"{name}_{end}", "")
            monkeypatch.delenv(f"{name}_{end}")


def kinds(plan: mlox.Plan) -> list[tuple[str, str]]:
    return [(action.kind, action.service) for action in plan.actions]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a client package for a service: its ``connect`` returns what it was given."""

    def install(name: str) -> None:
        module = types.ModuleType(f"{name}_client")
        module.connect = lambda **arguments: (name, arguments)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"{name}_client", module)

    return install


# add
