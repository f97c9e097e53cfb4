"""How a configuration is loaded: put together by Hydra, checked by a schema."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError

from .errors import ConfigError, problems_of
from .schema import Config

SchemaT = TypeVar("SchemaT", bound=BaseModel)

FOLDER = Path(__file__).parent / "conf"
"""The files of the configuration, which are shipped with the package."""

_ALONE = threading.Lock()  # what Hydra is set up for is kept once for the whole process


def load(overrides: Sequence[str] = (), *, folder: Path = FOLDER, name: str = "config") -> Config:
    """The configuration of this project; see :func:`load_as`.

    Example::

        config = load(["model=boosting", "training.seed=7"])
        config.model.kind  # 'boosting'
    """
    return load_as(Config, overrides, folder=folder, name=name)


def load_as(
    schema: type[SchemaT], overrides: Sequence[str] = (), *, folder: Path = FOLDER, name: str = "config"
) -> SchemaT:
    """The file ``name`` of ``folder`` with ``overrides`` in Hydra's grammar, checked by a schema.

    ``model=boosting`` chooses a file of a group, ``training.seed=7`` sets a value, ``+key=1`` adds one.

    Raises:
        ConfigError: a file, an override, an interpolation or a value is wrong; it names all the places.
    """
    with _ALONE:
        before = GlobalHydra.instance().hydra
        GlobalHydra.instance().hydra = None
        try:
            with initialize_config_dir(str(folder.resolve()), version_base="1.3"):
                composed = compose(name, overrides=list(overrides))
            values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigError([line.strip() for line in str(error).splitlines() if line.strip()]) from error
        finally:
            GlobalHydra.instance().hydra = before  # of whoever uses @hydra.main around us
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        # Without its cause, which would show what stands in the fields.
        raise ConfigError(problems_of(error, schema)) from None
