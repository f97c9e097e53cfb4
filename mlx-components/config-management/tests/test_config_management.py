"""Whether what is loaded is what the files and overrides say, and whether all that is wrong is told at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from project.config_management import Config, ConfigError, EnvSecret, load, load_as
from project.config_management import loading as module
from project.config_management.loading import FOLDER
from project.config_management.schema import BoostingModel, LocalData, Warehouse
from pydantic import BaseModel, SecretStr, ValidationError

PASSWORD = "hunter2-of-the-warehouse"


def problems(*overrides: str) -> Sequence[str]:
    with pytest.raises(ConfigError) as caught:
        load(overrides)
    assert PASSWORD not in f"{caught.value}{caught.value.__cause__}"
    return caught.value.problems


def test_the_defaults_are_loaded_and_typed() -> None:
    config = load()
    assert (config.name, config.model.kind, config.training.seed) == ("churn", "linear", 42)
    assert isinstance(config.data, LocalData)
    assert config.data.folder == Path("data")
    changed: Any = config
    with pytest.raises(ValidationError, match="frozen"):
        changed.name = "other"


def test_groups_and_values_are_chosen_by_overrides() -> None:
    config = load(["model=boosting", "model.depth=3", "training=quick", "training.seed=7"])
    assert isinstance(config.model, BoostingModel)
    assert (config.model.depth, config.model.rounds) == (3, 300)
    assert (config.training.folds, config.training.max_rows, config.training.seed) == (2, 1000, 7)


@pytest.mark.parametrize("group", sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))
def test_every_file_of_every_group_fits_the_schema(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_PASSWORD", PASSWORD)
    for path in (FOLDER / group).glob("*.yaml"):
        assert load([f"{group}={path.stem}"]).name == "churn"


def test_a_secret_comes_from_the_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_PASSWORD", PASSWORD)
    monkeypatch.setenv("WAREHOUSE_HOST", "db.example")
    data = load(["data=warehouse"]).data
    assert isinstance(data, Warehouse)
    assert data.password.get_secret_value() == PASSWORD
    assert (data.host, data.user) == ("db.example", "churn")
    assert PASSWORD not in f"{data!r}{data}{data.model_dump_json()}"


def test_a_secret_that_is_missing_or_written_down_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_PASSWORD", raising=False)
    assert problems("data=warehouse") == ("data.password: the environment variable WAREHOUSE_PASSWORD is not set",)
    (line,) = problems("data=warehouse", f"data.password={PASSWORD}")
    assert line == "data.password: a secret is not written down: write env:NAME_OF_A_VARIABLE"


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert problems("training.folds=1", "training.seed=many", "+training.max_row=3", "name=Churn") == (
        "name: String should match pattern '^[a-z][a-z0-9-]*$', not 'Churn'",
        "training.seed: Input should be a valid integer, unable to parse string as an integer, not 'many'",
        "training.folds: Input should be greater than or equal to 2, not 1",
        "training.max_row: there is no such key; did you mean max_rows?",
    )
    assert problems("training.max_rows=3") == ("the whole: max_rows 3 is less than folds 5",)
    assert problems("model=boosting", "+model.round=3") == ("model.round: there is no such key; did you mean rounds?",)
    assert problems("model=boosting", "model.depth=99") == (
        "model.depth: Input should be less than or equal to 20, not 99",
    )
    assert problems("~training.seed") == ("training.seed: is not given",)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model=forest", "boosting"),
        ("modle=linear", "modle"),
        ("training.sed=1", "sed"),
        ("training.seed=", "training.seed"),
        ("name=[", "no viable alternative"),
        ("name=${nowhere}", "nowhere"),
        ("training.seed=???", "training.seed"),
    ],
)
def test_an_override_that_cannot_be_is_told(override: str, told: str) -> None:
    assert told in "\n".join(problems(override))


def test_a_folder_and_a_schema_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(BaseModel):
        rate: float
        token: EnvSecret | None = None

    (tmp_path / "own.yaml").write_text("rate: 0.5\n")
    assert load_as(Own, folder=tmp_path, name="own") == Own(rate=0.5)
    monkeypatch.setenv("TOKEN", "t")
    assert load_as(Own, ["+token=env:TOKEN"], folder=tmp_path, name="own").token == SecretStr("t")
    assert Own(rate=1, token=SecretStr("s")).token == SecretStr("s")
    with pytest.raises(ConfigError, match="nowhere"):
        load(folder=tmp_path, name="nowhere")
    with pytest.raises(ConfigError, match="nowhere"):
        load(folder=tmp_path / "nowhere")


def test_hydra_stays_as_it_was(tmp_path: Path) -> None:
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        before = GlobalHydra.instance().hydra
        assert load().name == "churn"
        with pytest.raises(ConfigError):
            load(["model=forest"])
        assert GlobalHydra.instance().hydra is before
    assert not GlobalHydra.instance().is_initialized()


def test_it_can_be_loaded_in_threads() -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda seed: load([f"training.seed={seed}"]).training.seed, range(12)))
    assert found == list(range(12))


def test_the_command_shows_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    package = module.__name__.rpartition(".")[0]
    root = Path(str(module.__file__)).parents[package.count(".") + 1]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("WAREHOUSE_PASSWORD", PASSWORD)
    command = (sys.executable, "-m", package)
    done = subprocess.run((*command, "data=warehouse"), capture_output=True, text=True, check=True)
    assert Config.model_validate_json(done.stdout.replace("**********", "env:WAREHOUSE_PASSWORD")).name == "churn"
    assert PASSWORD not in done.stdout
    failed = subprocess.run((*command, "model=forest"), capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("error: the configuration cannot be used:")
    assert "Traceback" not in failed.stderr
