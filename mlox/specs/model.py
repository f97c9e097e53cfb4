"""What every spec has in common: frozen, and no key that is not known."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
"""A name in YAML and on disk: lower case letters, digits and single hyphens, at most 40 characters."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
"""A name inside the grammar of variables: lower case letters, digits and underscores."""

Text = Annotated[str, StringConstraints(min_length=1)]
Argv = Annotated[list[str], Field(min_length=1)]

Scalar = bool | int | float | str


class Spec(BaseModel):
    """A frozen model; an unknown key is an error."""

    # Validators are built when they are first used: a parent has its own copy of those of its parts.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)
