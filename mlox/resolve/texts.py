"""The texts of one unit, rendered: secrets left open, and which of them, and which grants, they use. Pure."""

from __future__ import annotations

from mlox.errors import SpecError
from mlox.grants import Grant
from mlox.resolve.addresses import offer_url
from mlox.resolve.granting import granted, make_grant
from mlox.resolve.service import Decided
from mlox.specs import EMBEDDED
from mlox.units import SecretRef
from mlox.variables import REVEALED, Variable, references, substitute


class Texts:
    """The texts of one unit: renders them and remembers which secrets they use."""

    def __init__(self, service: Decided) -> None:
        self.service = service
        self.refs: dict[str, SecretRef] = {}
        self.secret_files: set[str] = set()
        self.grants: dict[str, Grant] = {}

    def render(self, text: str) -> str:
        """The text with all but secrets filled in."""
        for variable in references(text):
            if variable.kind in ("secret", "secretfile", "bcrypt") and not self.service.lacks(variable.name):
                self.refs[variable.name] = self.service.secret(variable.name)
                if variable.kind == "secretfile":
                    self.secret_files.add(variable.name)
        return substitute(text, self._value)

    def argument(self, text: str) -> str:
        """A word of a command, rendered; commands are in process lists, so that no secret can be among them."""
        rendered = self.render(text)
        if any(variable.kind in REVEALED for variable in references(rendered)):
            raise SpecError(
                f"{self.service.name}: a secret in the command: {text}",
                hint="Put it into environment or a file, or give the command ${secretfile.NAME}.",
            )
        return rendered

    def _value(self, variable: Variable) -> str | None:
        if variable.kind == "secret" and self.service.lacks(variable.name):
            return ""
        if variable.kind != "need":
            return self.service.value(variable)
        provider = self.service.spec.needs[variable.name]
        need = self.service.catalog.needs[variable.name]
        if provider == EMBEDDED:
            return self.render((need.embedded or {})[variable.value])
        if variable.value in need.wired:
            return substitute(need.wired[variable.value], self._of_provider)
        return self._of_provider(variable)

    def _of_provider(self, variable: Variable) -> str | None:
        """What the provider of a need offers; another variable as everywhere."""
        if variable.kind != "need":
            return self.service.value(variable)
        provider = self.service.ready[self.service.spec.needs[variable.name]]
        capability = self.service.catalog.needs[variable.name].capability
        offer = provider.catalog.provides[capability]
        own: dict[str, SecretRef] = {}
        if offer.grant is not None:
            grant, own = make_grant(self.service, variable.name, provider, offer.grant)
            self.refs |= own
            self.grants[variable.name] = grant
            offer = granted(offer.grant, grant)
        values = dict(offer.values)
        if offer.url is not None:
            endpoint = self.service.reaches(provider, offer.url)
            url = offer_url(offer.url, endpoint, provider.value)
            values = {"url": url, "host": endpoint.host, "port": str(endpoint.port), **values}
        text = values.get(variable.value)
        if text is None:
            raise SpecError(
                f"{self.service.name}: {provider.name} offers no {variable.value!r} with {capability}",
                hint=f"There are: {', '.join(sorted(values))}.",
            )

        def moved(inner: Variable) -> str | None:
            if inner.kind == "dir" and not self.service.shares_folders(provider):
                raise SpecError(
                    f"{self.service.name} cannot see the folders of {provider.name}: only processes of one server can",
                    hint=f"Put both on one server that is native: mlox move {self.service.name} --to local.",
                )
            if inner.kind not in REVEALED:
                return provider.value(inner)
            if inner.name in own:
                return f"${{{inner.kind}.{inner.name}}}"
            key = f"need_{variable.name}_{inner.name}"
            self.refs[key] = provider.secret(inner.name, ref=key)
            return f"${{{inner.kind}.{key}}}"

        return substitute(text, moved)
