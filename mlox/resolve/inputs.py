"""What images are built from: folders of the workspace. Pure: what is in them, a back end tells."""

from __future__ import annotations

from collections.abc import Iterable
from os.path import normpath
from pathlib import PurePosixPath

from mlox.specs import CatalogService
from mlox.specs.compose import BuildSpec


def build_context(root: str, build: BuildSpec) -> tuple[str, str]:
    """The folder that an image is built from, and the name of its Dockerfile where that is another one.

    Example:
        >>> build_context("/shop", BuildSpec(context="./web"))
        ('/shop/web', '')
    """
    return normpath(PurePosixPath(root) / build.context), build.dockerfile or ""


def build_contexts(services: Iterable[CatalogService], root: str) -> tuple[tuple[str, str], ...]:
    """What the images of services are built from, each once, sorted."""
    builds = (unit.build for service in services for unit in service.units.values())
    return tuple(sorted({build_context(root, build) for build in builds if build is not None}))
