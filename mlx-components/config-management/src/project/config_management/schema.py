"""What the configuration holds. Change it to what your project needs, and ``conf/`` with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .secrets import EnvSecret


class Section(BaseModel):
    """A part of the configuration: cannot be changed, and has no keys that are not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LocalData(Section):
    """Files of this machine."""

    kind: Literal["local"]
    folder: Path
    target: str


class Warehouse(Section):
    """Tables of a database."""

    kind: Literal["warehouse"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    user: str
    password: EnvSecret
    target: str


class LinearModel(Section):
    """A linear model; ``penalty`` keeps its weights small."""

    kind: Literal["linear"]
    penalty: Annotated[float, Field(ge=0)]


class BoostingModel(Section):
    """Trees, each mending what those before it got wrong."""

    kind: Literal["boosting"]
    rounds: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    depth: Annotated[int, Field(ge=1, le=20)]


class Training(Section):
    """How is trained and measured."""

    seed: int
    folds: Annotated[int, Field(ge=2)]
    max_rows: Annotated[int, Field(ge=1)] | None = None


class Config(Section):
    """The whole. ``data`` and ``model`` are told apart by their ``kind``."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    data: Annotated[LocalData | Warehouse, Field(discriminator="kind")]
    model: Annotated[LinearModel | BoostingModel, Field(discriminator="kind")]
    training: Training

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.training.max_rows is not None and self.training.max_rows < self.training.folds:
            raise ValueError(f"max_rows {self.training.max_rows} is less than folds {self.training.folds}")
        return self
