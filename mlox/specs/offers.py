"""What an author writes about secrets, and about what a service uses of others and offers to them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mlox.specs.model import Argv, Identifier, Name, Spec, Text


class SecretSpec(Spec):
    """A secret of the service. ``generate`` is a length in characters; without ``rotate`` it cannot be rotated.

    What is not generated must be set, unless it is ``optional``: then it is an empty text until somebody sets it.

    ``rotate`` runs inside the running service, which then starts again: it finds the two values in its environment as
    ``MLOX_SECRET_OLD`` and ``MLOX_SECRET_NEW``, and succeeds where the new one is accepted already.
    """

    generate: Annotated[int, Field(ge=16, le=256)] | None = None
    optional: bool = False
    rotate: Argv | None = None
    help: str = ""

    @model_validator(mode="after")
    def _made_or_optional(self) -> Self:
        if self.optional and self.generate:
            raise ValueError("a secret that is generated is always there: it cannot be optional")
        return self


class NeedSpec(Spec):
    """A capability that the service uses, and the values that it has without a provider (``embedded``).

    With a provider its values stand in their place; ``wired`` makes further ones of them, such as an address in
    another form. ``packages`` and ``environment`` are added then.
    """

    capability: Name
    embedded: dict[Identifier, str] | None = None
    wired: dict[Identifier, str] = Field(default_factory=dict)
    packages: list[Text] = Field(default_factory=list)
    environment: dict[str, str] = Field(default_factory=dict)
    help: str = ""


class UrlSpec(Spec):
    """An address by its parts, so that every part is quoted: a password never breaks a URL.

    ``containers`` is the port for containers, where that is another one: of a service that tells its clients itself
    where to go on, and so has to know by which name they reached it.
    """

    scheme: Text
    port: Identifier
    containers: Identifier | None = None
    user: str | None = None
    password: str | None = None
    path: str = ""


class CopiesSpec(Spec):
    """Commands around an upgrade of the consumer, in the environment of the account; none of them shows anything.

    ``keep`` copies what the account has, where there is no copy yet; ``take_back`` puts a copy that there is in its
    place; ``forget`` removes it. For its backups, ``save`` writes what is in the account to standard output, and
    ``load`` puts what it reads in the place of that; these two find the names of the account alone.
    """

    keep: Argv
    take_back: Argv
    forget: Argv
    save: Argv | None = None
    load: Argv | None = None

    @property
    def commands(self) -> tuple[str, ...]:
        """The words of all of them."""
        return (*self.keep, *self.take_back, *self.forget, *(self.save or ()), *(self.load or ()))

    @model_validator(mode="after")
    def _saved_and_brought_back(self) -> Self:
        if (self.save is None) != (self.load is None):
            raise ValueError("save and load belong together: what the one writes the other reads")
        return self


class GrantSpec(Spec):
    """How a consumer gets its own account: argv inside the unit, with the same result when it runs again.

    ``names`` are derived from the consumer and ``secrets`` made for it. As ``${grant.NAME}`` they are in ``url`` and
    ``values``, which stand in for those of the offer; commands find them in their environment as ``MLOX_GRANT_NAME``.
    ``separator`` stands in a name where a hyphen was, or the end of the consumer's.
    ``revoke`` takes the account away, with what is in it, when the consumer's data is purged. ``copies`` are what it
    goes back to where an upgrade or a restore of the consumer fails, and how its backups have what is in it.
    """

    unit: Name
    names: Annotated[list[Identifier], Field(min_length=1)]
    separator: Literal["_", "-"] = "_"
    secrets: dict[Identifier, SecretSpec] = Field(default_factory=dict)
    url: UrlSpec
    values: dict[Identifier, str] = Field(default_factory=dict)
    argv: Argv
    revoke: Argv | None = None
    copies: CopiesSpec | None = None

    @property
    def commands(self) -> tuple[str, ...]:
        """The words of all its commands."""
        return (*self.argv, *(self.revoke or ()), *(self.copies.commands if self.copies else ()))

    @model_validator(mode="after")
    def _made_by_mlox(self) -> Self:
        if not all(secret.generate for secret in self.secrets.values()):
            raise ValueError("a secret of a grant needs generate: its length")
        return self


class ProvideSpec(Spec):
    """A capability that the service offers: its address and further values, for ``${need.NAME.value}``.

    One without an address is a folder, by a value with ``${dir.NAME}``: processes of the same server see it.
    """

    url: UrlSpec | None = None
    values: dict[Identifier, str] = Field(default_factory=dict)
    grant: GrantSpec | None = None

    @model_validator(mode="after")
    def _an_account_has_an_address(self) -> Self:
        if self.url is None and self.grant is not None:
            raise ValueError("an offer with a grant has a url")
        return self
