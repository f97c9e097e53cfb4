"""A component with a module that others extend, and components that do."""

from __future__ import annotations

APP = b'''"""The application."""

from __future__ import annotations

import json

from .routes import routes


class App:
    """What serves."""

    def __init__(self) -> None:
        self.layers: list[str] = []


app = App()
app.layers.append(json.dumps(routes))


if __name__ == "__main__":
    print(app.layers)
'''
MANIFEST = """\
name: {name}
version: "{version}"
summary: a part of an application
package: {package}
imports: {imports}
files: {files}
components: {components}
extends: {extends}
"""
APP_PATH = "src/churn/serving/app.py"
FRAGMENT = b"""from project.serving.app import app
from project.%(package)s import %(name)s

# what %(name)s does
%(name)s(app)
"""


def serving(version: str = "1.0", app: bytes = APP) -> dict[str, bytes]:
    manifest = MANIFEST.format(
        name="serving",
        version=version,
        package="serving",
        imports="app",
        files="[__init__.py, app.py, routes.py]",
        components="{}",
        extends="[]",
    )
    code = {"__init__.py": b"from .app import app as app\n", "app.py": app, "routes.py": b"routes = ['/']\n"}
    return {"component.yaml": manifest.encode(), **{f"src/project/serving/{name}": text for name, text in code.items()}}


def layer(name: str, version: str = "1.0", fragment: bytes = FRAGMENT) -> dict[str, bytes]:
    manifest = MANIFEST.format(
        name=name,
        version=version,
        package=name,
        imports=name,
        files="[__init__.py]",
        components='{serving: ">=1.0"}',
        extends="[serving/app.py]",
    )
    code = f"def {name}(app):\n    app.layers.append({name!r})\n".encode()
    return {
        "component.yaml": manifest.encode(),
        f"src/project/{name}/__init__.py": code,
        "extends/serving/app.py": fragment % {b"package": name.encode(), b"name": name.encode()},
    }
