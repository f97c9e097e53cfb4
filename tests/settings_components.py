"""Components that bring settings, for tests: what their manifests ask for, and the pieces in their folders."""

from __future__ import annotations

from collections.abc import Mapping

from tests.component_stage import Shop, offer

MANIFEST = """\
name: {name}
version: "{version}"
summary: brings settings
package: {package}
imports: part
files: [__init__.py]
settings: {settings}
environment: {environment}
"""
USERS_YAML = "# ours\nserver:\n  port: 80  # do not change\n\n# the end\n"
USERS_TOML = "[project]\nname = 'churn'\nversion = '1'  # of the shop\ndependencies = []\n\n[tool.ours]\nx = 1\n"
USERS_ENV = "# where we run\nSTAGE=dev\n"
USERS_JSON = '{\n    "server": {"port": 80}\n}\n'
USERS = {
    "config/app.yaml": USERS_YAML,
    "pyproject.toml": USERS_TOML,
    ".env.example": USERS_ENV,
    "settings.json": USERS_JSON,
    "src/churn/__init__.py": "",
}


def bringing(
    name: str, settings: Mapping[str, str], environment: str = "{}", version: str = "1.0", more: str = ""
) -> dict[str, bytes]:
    """The files of a component with these pieces, by the file of the user's that they are for."""
    package = name.replace("-", "_")
    manifest = MANIFEST.format(
        name=name, version=version, package=package, settings=f"[{', '.join(settings)}]", environment=environment
    )
    pieces = {f"settings/{path.replace('.env.example', 'env.example')}": text for path, text in settings.items()}
    return {
        "component.yaml": (manifest + more).encode(),
        f"src/project/{package}/__init__.py": b"part = 1\n",
        **{path: text.encode() for path, text in pieces.items()},
    }


def offers(shop: Shop, name: str, environment: str = "{}", version: str = "1.0", **pieces: str) -> None:
    """The registry has a component: ``yaml``, ``toml``, ``env`` and ``json`` are its pieces for the user's files."""
    paths = {"yaml": "config/app.yaml", "toml": "pyproject.toml", "env": ".env.example", "json": "settings.json"}
    settings = {paths[kind]: text for kind, text in pieces.items()}
    offer(shop.root, bringing(name, settings, environment, version), name)


def users(shop: Shop) -> dict[str, bytes | None]:
    """The user has files of his own; what is there then."""
    for path, text in USERS.items():
        shop.put(path, text)
    return shop.tree()
