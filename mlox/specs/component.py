"""What an author writes about a component: ``component.yaml`` beside its template code.

The code lies below ``src/project/<package>/`` and its tests below ``tests/``, so that both are valid Python and run
where they are; ``project`` stands for the package that a component is put into.
"""

from __future__ import annotations

import keyword
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from mlox.specs.catalog import OptionSpec
from mlox.specs.model import Identifier, Name, Scalar, Spec, Text
from mlox.specs.naming import ComponentName
from mlox.specs.paths import MAX_PATH, clash, path_fault

ROOT = "project"
"""The package that stands for the user's own in the code of a template."""


def _portable(path: str) -> str:
    if fault := path_fault(path):
        raise ValueError(f"{path} {fault}")
    return path


_FILE_PATH = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")
FilePath = Annotated[
    str,
    StringConstraints(pattern=_FILE_PATH.pattern, max_length=MAX_PATH),
    AfterValidator(_portable),
]
"""A path with ``/``, relative, every part beginning with a letter, a digit or an underscore: never ``..``."""

ENV_EXAMPLE = ".env.example"
"""The one hidden file that settings may go into: names of variables, told to whoever sets them elsewhere."""

SETTINGS_ENDINGS = (".json", ".toml", ".yaml", ".yml")
NOT_SETTINGS = frozenset(
    {"mlox.yaml", "package.json", "pdm.toml", "pixi.toml", "poetry.toml", "registry.json", "uv.toml"}
)
"""Files that say what runs or what is installed: no component sets anything there."""

NOT_SETTINGS_FOLDERS = frozenset({"mlx-components", "services"})
"""Folders of a workspace that hold components and the catalog."""


def _settings_path(path: str) -> str:
    folder, _, name = path.rpartition("/")
    plain = f"{folder}/env.example".lstrip("/") if name == ENV_EXAMPLE else path
    if fault := path_fault(path):
        raise ValueError(f"{path} {fault}")
    if not _FILE_PATH.fullmatch(plain):
        raise ValueError(f"{path} is hidden, or has a character that a path of settings cannot have")
    if name != ENV_EXAMPLE and not name.lower().endswith(SETTINGS_ENDINGS):
        raise ValueError(
            f"{path}: settings go into files that end with {', '.join(SETTINGS_ENDINGS)}, or {ENV_EXAMPLE}"
        )
    if name.lower() in NOT_SETTINGS or path.lower().partition("/")[0] in NOT_SETTINGS_FOLDERS:
        raise ValueError(f"{path} is not for a component to change")
    return path


SettingsPath = Annotated[str, AfterValidator(_settings_path)]
"""The path of a file of the user's, below the repository, in a format that settings can be put into."""

Version = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$", max_length=40)]


def _requirement(text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"{text!r} is no requirement (PEP 508)") from error
    if requirement.url:
        raise ValueError(f"{text!r} names an address; a component names distributions and versions")
    return text


def _versions(text: str) -> str:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier as error:
        raise ValueError(f"{text!r} is no range of versions, such as >=1.0,<2") from error
    return text


class ComponentOptionSpec(OptionSpec):
    """A typed option; ``constant`` is the module-level name that it sets, ``settings.py:ONLINE_STORE``."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    constant: Annotated[str, StringConstraints(pattern=r"^[\w./-]+\.py:[A-Za-z_]\w*$")]


class ComponentServiceSpec(Spec):
    """A service that the code can use; where a stack has it, ``sets`` are the defaults of options."""

    help: Text
    sets: dict[Identifier, Scalar] = Field(default_factory=dict)


class ComponentSpec(Spec):
    """A component of a registry. ``imports`` is the name that somebody imports first.

    ``components`` are those that it needs, with their versions; they are added with it. ``extends`` are modules of
    theirs that it adds to, below the user's package: the fragment lies below ``extends/`` in the component's folder.
    ``settings`` are files of the user's, below the repository, that it puts settings into: these lie below
    ``settings/`` under the same name, ``.env.example`` without its dot.
    ``yanked`` says why nobody should take this version any more; it is added later, and changes no digest.
    ``test_dependencies`` are what its tests need beside pytest; they are not written into the project.
    """

    name: Name
    version: Version
    yanked: Annotated[str, StringConstraints(pattern=r"^\S.*$")] | None = None
    summary: Text
    homepage: str = ""
    package: Identifier
    imports: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
    files: Annotated[list[FilePath], Field(min_length=1)]
    tests: list[FilePath] = Field(default_factory=list)
    dependencies: list[Annotated[str, AfterValidator(_requirement)]] = Field(default_factory=list)
    test_dependencies: list[Annotated[str, AfterValidator(_requirement)]] = Field(default_factory=list)
    components: dict[ComponentName, Annotated[str, AfterValidator(_versions)]] = Field(default_factory=dict)
    extends: list[FilePath] = Field(default_factory=list)
    settings: list[SettingsPath] = Field(default_factory=list)
    services: dict[Name, ComponentServiceSpec] = Field(default_factory=dict)
    environment: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")], Text] = Field(
        default_factory=dict
    )
    options: dict[Identifier, ComponentOptionSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if "__init__.py" not in self.files:
            raise ValueError("files has no __init__.py: a component is a package")
        lists = {"files": self.files, "tests": self.tests, "extends": self.extends, "settings": self.settings}
        for kind, paths in lists.items():
            if both := clash(paths):
                raise ValueError(f"{kind}: {both} differ in nothing or only in upper and lower case, or clash")
        if keyword.iskeyword(self.package) or path_fault(self.package) or path_fault(self.name):
            raise ValueError(f"package, name: {self.package} or {self.name} is a reserved word")
        for path in self.extends:
            if not path.endswith(".py") or path.startswith(f"{self.package}/"):
                raise ValueError(f"extends: {path} is no module of another component")
        for name, option in self.options.items():
            if option.constant.partition(":")[0] not in self.files:
                raise ValueError(f"options.{name}: {option.constant} is in none of the files")
        for name, service in self.services.items():
            if unknown := set(service.sets) - set(self.options):
                raise ValueError(f"services.{name}: there is no option {min(unknown)}")
        return self
