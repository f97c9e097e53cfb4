"""The registries of a workspace: mlox's own, the workspace's folder, and those that ``mlox.yaml`` names.

Only a name with a namespace, ``@acme/caching``, leads to one of the last; so nothing of theirs ever stands in for what
is here. What was last seen of them is remembered, so that looking around asks nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from packaging.version import Version

from mlox.components import Offer, Template
from mlox.errors import SpecError, UnknownNameError, UsageError, WorkspaceError
from mlox.locks import Hold
from mlox.plugins import find
from mlox.protocols import Emit, Published, Registry
from mlox.secret import Secret
from mlox.specs import RegistrySpec
from mlox.specs.naming import file_stem, is_component_name, split_name
from mlox.stack.holding import hold_here
from mlox.stack.stack import Stack

FOLDER = "mlx-components"
KEPT = ".mlox/local/registries"


class Registries:
    """What a workspace can take components from.

    ``configured`` is called when a namespace is asked for; ``folder`` stands for the workspace's own.
    """

    def __init__(
        self, root: Path, configured: Callable[[], Mapping[str, RegistrySpec]], *, folder: Path | None = None
    ) -> None:
        self.root = root
        self._folder = folder or root / FOLDER
        self._configured = configured
        self._made: dict[str, Registry] = {}

    @property
    def near(self) -> tuple[Registry, ...]:
        """mlox's own, which nobody can shadow, and the workspace's: those whose components need no namespace."""
        folder = find("registries", "folder")
        return folder(), folder(self._folder)

    def names(self) -> tuple[str, ...]:
        """All names without a namespace, sorted; asks nobody."""
        return tuple(sorted({name for registry in self.near for name in registry.names()}))

    def namespaces(self) -> tuple[str, ...]:
        """Those of ``mlox.yaml``, sorted."""
        return tuple(sorted(self._configured()))

    def get(self, namespace: str) -> Registry:
        """The registry behind a namespace; nothing is asked of it yet.

        Raises:
            UnknownNameError: ``mlox.yaml`` names none like that.
            WorkspaceError: its token is not in the environment. SpecError: its address cannot be one.
        """
        if namespace not in self._made:
            configured = self._configured()
            if namespace not in configured:
                error = UnknownNameError.among("registry", namespace, configured)
                raise UnknownNameError(
                    error.problem, hint=error.hint if configured else f"Add it: mlox registry add {namespace} ADDRESS."
                )
            self._made[namespace] = self.open(namespace, configured[namespace])
        return self._made[namespace]

    def open(self, namespace: str, spec: RegistrySpec) -> Registry:
        """The registry that ``spec`` describes, whether ``mlox.yaml`` has it or not; see :meth:`get`."""
        made: Registry
        kind = find("registries", spec.kind)
        if spec.kind == "folder":
            made = kind((self.root / Path(spec.address).expanduser()), name=namespace, source=spec.address)
        elif spec.kind == "git":
            cache = self.root / KEPT / f"{namespace.removeprefix('@')}.git"
            made = kind(spec.address, name=namespace, cache=cache, root=self.root, token=_token(namespace, spec))
        else:
            made = kind(spec.address, name=namespace, token=_token(namespace, spec))
        return made

    def versions(self, name: str) -> tuple[Published, ...]:
        """Every version of a component, newest first; what a registry of ``mlox.yaml`` says is remembered.

        Raises:
            UnknownNameError: there is no such component. WorkspaceError, SpecError: its registry is gone, or lies.
        """
        registry, own = self._place(name)
        found = registry.versions(own)
        if split_name(name)[0]:
            self._remember(name, found)
        return found

    def seen(self, name: str) -> tuple[Published, ...]:
        """The same without asking anybody: of a namespace, what was seen last; empty where nothing was."""
        if not split_name(name)[0]:
            return self.versions(name)
        try:
            kept = json.loads(self._kept(name).read_bytes())
            return tuple(_published(*one) for one in kept)
        except (OSError, ValueError, TypeError):
            return ()

    def template(self, name: str, version: str | None = None) -> Template:
        """What a registry has of that name; without ``version`` the newest that was not yanked.

        Raises:
            UnknownNameError: there is none, or no such version. UsageError: every version was yanked.
            SpecError: it is wrong, or is not what its registry says. WorkspaceError: its registry is gone.
        """
        registry, own = self._place(name)
        if version is None and not split_name(name)[0]:  # the usual case: one version, and nobody to ask
            template = Template.parse(name, registry.read(own), source=registry.source)
            if template.spec.yanked is None:
                return template
        versions = self.versions(name)
        if version is None:
            chosen = next((one for one in versions if not one.yanked), None)
            if chosen is None:
                raise UsageError(
                    f"every version of {name} was yanked; {versions[0].version}: {versions[0].yanked}",
                    hint=f"If you want it all the same, name the version: mlox add {name}@{versions[0].version}.",
                )
        else:
            chosen = next((one for one in versions if one.version == version), None)
            if chosen is None:
                good = next((one.version for one in versions if not one.yanked), versions[0].version)
                raise UnknownNameError(
                    f"there is no {name} {version}".rstrip(), hint=f"Take {name}@{good}, or leave the version out."
                )
        return self._read(name, chosen)

    def look_up(self, name: str, by: Template) -> Sequence[Offer]:
        """What there is of a component that ``by`` needs, newest first: see :data:`mlox.components.LookUp`.

        What is here comes first, then the registry that ``by`` is from. Yanked versions are left out.
        """
        whole = name
        if not name.startswith("@") and by.namespace and name not in self.names():
            whole = f"{by.namespace}/{name}"
        offered = [one for one in self.versions(whole) if not one.yanked]
        return [Offer(whole, one.version, partial(self._read, whole, one)) for one in offered]

    def _read(self, name: str, published: Published) -> Template:
        registry, own = self._place(name)
        files = registry.read(own, published.version)
        template = Template.parse(name, files, source=registry.source, version=published.version)
        if published.digest not in ("", template.digest):
            raise SpecError(
                f"{name} {published.version} is not what registry.json says it is (its digest differs)",
                hint="Nothing was written. Tell whoever publishes it: mlox registry build writes one that is right.",
            )
        return template

    def _place(self, name: str) -> tuple[Registry, str]:
        namespace, own = split_name(name)
        if namespace:
            if not is_component_name(name):
                raise UnknownNameError(f"unknown component {name!r}", hint="Write it as @NAMESPACE/NAME.")
            return self.get(namespace), own
        for registry in self.near:
            if own in registry.names():
                return registry, own
        raise UnknownNameError.among("component", name, self.names())

    def _kept(self, name: str) -> Path:
        return self.root / KEPT / f"{file_stem(name)}.json"

    def _remember(self, name: str, found: Sequence[Published]) -> None:
        """For :meth:`seen`; where that cannot be written, the next one asks again."""
        path = self._kept(name)
        text = json.dumps([[one.version, one.yanked, one.digest] for one in found])
        with contextlib.suppress(OSError):
            if not path.exists() or path.read_text("utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                staged = path.with_suffix(f".{os.getpid()}.tmp")
                staged.write_text(text, "utf-8")
                staged.replace(path)


def _published(version: str, yanked: str, digest: str) -> Published:
    Version(version)
    return Published(version, str(yanked), str(digest))


def configure(stack: Stack, namespace: str, spec: RegistrySpec | None, *, emit: Emit) -> None:
    """Write a registry into ``mlox.yaml``, or with None take it out; what was added from it stays."""
    stack.init()
    with Hold(stack.identify(), emit=emit) as hold:
        hold_here(hold, stack.workspace)
        if spec is None:
            stack.workspace.drop_registry(namespace)
        else:
            stack.workspace.put_registry(namespace, spec.model_dump(exclude_none=True))


def _token(namespace: str, spec: RegistrySpec) -> Secret | None:
    """The token, where the registry has one."""
    if spec.token_env is None:
        return None
    value = os.environ.get(spec.token_env, "")
    if not value:
        raise WorkspaceError(
            f"{namespace}: its token is read from {spec.token_env}, which is not set",
            hint=f"Set {spec.token_env} in the environment, never in a file of the repository.",
        )
    return Secret(value)
