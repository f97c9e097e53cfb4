"""The begin of a catalog file of one's own: a page that runs as it is, with a comment for each part; or a copy."""

from __future__ import annotations

import re

from mlox.catalog import Catalog
from mlox.errors import SpecError, UnknownNameError
from mlox.specs.model import NAME

SKELETON = """\
# A service of your own. It runs as it is: mlox up @NAME@. Change it bit by bit.
# Test it: mlox catalog test services/@NAME@.yaml
# In texts ${...} stands for: port.NAME, bind (where to listen), dir.NAME, secret.NAME, secretfile.NAME, need.NAME.url,
# option.NAME, version. A dollar is written $$. A command never holds a secret, since commands are in process lists.
name: @NAME@
# Which version a new stack gets. Natively it is the one that is found on the PATH.
version: "3.12"
summary: a page that says hello and counts its visitors

# What a user may set with --set greeting=...; the type is string, integer, number or boolean.
options:
  greeting: {default: hello, help: what the page says}

# Passwords that mlox makes, keeps and masks. One without `generate` is set by a person.
secrets:
  token: {generate: 32, help: what a client has to send}

# Where it would like to listen; another port is taken where this one is in use.
ports:
  http: {port: 8600, scheme: http}

# Folders that stay until `down --purge`; `path` is where a container has them.
data:
  data: {path: /data, help: the number of visitors}

units:
  server:
    # Whether it must not run twice on the same data.
    stateful: true
    # For containers: always with a version.
    image: python:${version}-alpine
    command: [python3, "${dir.config}/page.py", "${bind}", "${port.http}", "${option.greeting}", "${dir.data}/visitors"]
    # For plain processes: a program of the PATH, or  python: {packages: ["mypackage==${version}"]}
    native:
      binary:
        name: python3
        version_argv: [python3, --version]
        version_pattern: 'Python (\\d+\\.\\d+\\.\\d+)'
        debian: python3
    environment:
      TOKEN: ${secret.token}
    files:
      page.py:
        content: |
          import http.server, os, pathlib, sys
          bind, port, greeting, path = sys.argv[1], int(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4])
          class Page(http.server.BaseHTTPRequestHandler):
              def do_GET(self):
                  if self.path == "/health":
                      return self.answer(200, "fine")
                  if self.headers.get("Authorization") != f"Bearer {os.environ['TOKEN']}":
                      return self.answer(401, "send the token")
                  visitors = int(path.read_text()) + 1 if path.exists() else 1
                  path.write_text(str(visitors))
                  self.answer(200, f"{greeting}, visitor {visitors}")
              def answer(self, status, text):
                  body = text.encode()
                  self.send_response(status)
                  self.send_header("Content-Length", str(len(body)))
                  self.end_headers()
                  self.wfile.write(body)
          http.server.ThreadingHTTPServer((bind, port), Page).serve_forever()
    # When it is healthy: http, tcp: {port: http}, or exec: [a, command, in, it].
    probe:
      http: {port: http, path: /health}
      start_timeout_s: 30

# What its clients read: `mlox use @NAME@`, `mlox run @NAME@ -- COMMAND`.
client:
  environment:
    @VARIABLE@_URL: ${url.http}
    @VARIABLE@_TOKEN: ${secret.token}

# What it takes, so that a plan can say when there is too little.
estimate: {memory_bytes: 30_000_000, disk_bytes: 1_000_000}
"""


def skeleton(name: str) -> str:
    """The text of a new file.

    Raises:
        SpecError: a service cannot be called that.

    Example:
        >>> "name: guestbook" in skeleton("guestbook")
        True
    """
    check_name(name)
    variable = name.upper().replace("-", "_")
    return SKELETON.replace("@NAME@", name).replace("@VARIABLE@", variable)


def copied(catalog: Catalog, source: str, name: str) -> str:
    """The file of a service of the catalog as one of another name.

    Raises:
        UnknownNameError: there is no such service. SpecError: a service cannot be called ``name``.
    """
    check_name(name)
    path = catalog.path(source)
    if path is None:
        raise UnknownNameError.among("service", source, catalog.names())
    text = re.sub(r"^name: .*$", f"name: {name}", path.read_text("utf-8"), count=1, flags=re.MULTILINE)
    return f"# Copied from {source}; yours to change.\n{text}"


def check_name(name: str) -> None:
    """Raise a :class:`SpecError` for what is no name of a service."""
    if not re.fullmatch(NAME, name) or len(name) > 40:
        raise SpecError(
            f"{name!r} cannot be a service's name: lower case letters, digits and single hyphens",
            hint="For example: mlox catalog new my-service.",
        )
