"""Whether tables come through unharmed, wrong ones are told, and no part of a split knows of another."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from project.data_processing import (
    Column,
    Pipeline,
    Schema,
    SchemaError,
    Split,
    Step,
    StepError,
    profile,
    scan,
    split_by_group,
    split_by_time,
    write,
)

CALLS = Schema(
    "calls",
    {
        "customer": Column(pl.Int64),
        "minutes": Column(pl.Float64, minimum=0, maximum=1440),
        "plan": Column(pl.String, nullable=True, choices=("basic", "plus")),
    },
    unique=("customer",),
)


def calls() -> pl.DataFrame:
    return pl.DataFrame({"customer": [1, 2, 3], "minutes": [10.0, 0.0, 1440.0], "plan": ["basic", None, "plus"]})


def start(day: int) -> datetime:
    return datetime(2026, 1, 1) + timedelta(days=day)  # noqa: DTZ001 - a table without zones


def days(people: int = 40, length: int = 30) -> pl.LazyFrame:
    rows = [(f"c{person}", start(day), person * day) for person in range(people) for day in range(length)]
    return pl.LazyFrame(rows, schema=["customer", "at", "calls"], orient="row")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl", "deep/t.ndjson"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    assert write(calls().lazy(), tmp_path / name) == tmp_path / name
    assert_frame_equal(scan(tmp_path / name).collect(), calls())
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


def test_many_files_are_one_table(tmp_path: Path) -> None:
    for number in range(3):
        write(calls().lazy().with_columns(part=pl.lit(number)), tmp_path / f"part {number}.parquet")
    found = scan(tmp_path / "part *.parquet").collect()
    assert (found.height, sorted(found["part"].unique())) == (9, [0, 1, 2])
    (tmp_path / "part 9.csv").write_text("customer\n1\n")
    with pytest.raises(ValueError, match="several formats: csv, parquet"):
        scan(tmp_path / "part *")


def test_text_files_have_dates_and_types_that_are_said(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write("code,at\n007,2026-01-02\n")
    assert scan(tmp_path / "t.csv.gz", schema={"code": pl.String}).collect().row(0) == ("007", start(1).date())


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.csv.zip"])
def test_a_format_that_is_not_known_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match="is none of CSV"):
        scan(tmp_path / name)
    with pytest.raises(ValueError, match="is none of CSV"):
        write(calls().lazy(), tmp_path / name)


def test_what_is_not_there_is_told_and_a_failed_write_leaves_the_old(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        scan(tmp_path / "nothing.csv")
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "*.csv")
    with pytest.raises(ValueError, match="take Parquet"):
        write(calls().lazy(), tmp_path / "t.csv.gz")
    path = write(calls().lazy(), tmp_path / "t.parquet")
    before = path.read_bytes()
    with pytest.raises(pl.exceptions.PolarsError):
        write(calls().lazy().with_columns(pl.col("plan").cast(pl.Int64)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_that_fits_comes_back_in_the_order_of_the_schema() -> None:
    mixed = calls().select("plan", "minutes", "customer").lazy()
    assert_frame_equal(CALLS.check(mixed).collect(), calls())
    more = calls().with_columns(x=1)
    assert Schema("calls", CALLS.columns, others=True).check(more.lazy()).collect_schema().names()[-1] == "x"
    assert_frame_equal(CALLS.check(calls().clear().lazy()).collect(), calls().clear())


def test_all_that_is_wrong_with_columns_is_told_at_once() -> None:
    wrong = calls().rename({"minutes": "minute"}).with_columns(pl.col("customer").cast(pl.String))
    with pytest.raises(SchemaError) as caught:
        CALLS.check(wrong.lazy())
    assert caught.value.problems == (
        "customer: is String, not Int64",
        "minutes: there is no such column; is it minute?",
        "minute: is not in the schema",
    )


def test_all_that_is_wrong_with_rows_is_counted_at_once() -> None:
    nan = float("nan")
    rows = [(1, -1.0, "basic"), (1, nan, "gold"), (None, 1441.0, None), (None, None, "plus")]
    with pytest.raises(SchemaError, match="calls is not what it should be") as caught:
        CALLS.check(pl.LazyFrame(rows, schema=calls().schema, orient="row"))
    assert caught.value.problems == (
        "customer: 2 rows have no value",
        "minutes: 1 rows have no value",
        "minutes: 3 rows are not within 0 to 1440",
        "plan: 1 rows are none of basic, plus",
        "customer: 2 rows are there already",
    )


def half(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.with_columns(pl.col("minutes") / 2)


def test_steps_follow_each_other_and_nothing_is_computed_before_the_end(tmp_path: Path) -> None:
    computed: list[int] = []

    def seen(frame: pl.LazyFrame) -> pl.LazyFrame:
        def count(rows: pl.DataFrame) -> pl.DataFrame:
            computed.append(rows.height)
            return rows

        return frame.map_batches(count)

    pipeline = Pipeline().then(CALLS.check).then(half, gives=CALLS).then(seen)
    lazy = pipeline(calls().lazy())
    assert computed == []
    assert lazy.collect()["minutes"].to_list() == [5.0, 0.0, 720.0]
    assert sum(computed) == 3
    assert pipeline.run(calls().lazy())["minutes"].to_list() == [5.0, 0.0, 720.0]
    assert scan(Pipeline().then(half).write(calls().lazy(), tmp_path / "t.csv")).collect().height == 3
    table, seconds = pipeline.timed(calls().lazy())
    assert table.height == 3
    assert list(seconds) == ["check", "half", "seen"]
    assert all(0 <= one < 5 for one in seconds.values())


def test_a_step_that_fails_is_told_by_its_name() -> None:
    def lost(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.with_columns(pl.col("nowhere") + 1)

    negative = Step("negate", lambda frame: frame.with_columns(-pl.col("minutes")), CALLS)
    eager = Pipeline().then(lambda frame: frame.collect(), name="eager")  # type: ignore[arg-type, return-value]
    for pipeline, told in (
        (Pipeline().then(half).then(lost), "step lost: .*nowhere"),
        (Pipeline().then(negative), "step negate: calls is not what it should be"),
        (eager, "step eager: it gave DataFrame, not a LazyFrame"),
    ):
        with pytest.raises(StepError, match=told):
            pipeline(calls().lazy())


def test_a_profile_tells_each_column() -> None:
    frame = calls().with_columns(at=start(0), parts=pl.lit([1]), on=pl.col("minutes") > 0)
    found = {row["column"]: row for row in profile(frame.lazy()).to_dicts()}
    assert found["minutes"] | {"mean": 0, "deviation": 0} == {
        "column": "minutes",
        "type": "Float64",
        "rows": 3,
        "gaps": 0.0,
        "distinct": 3,
        "least": "0.0",
        "greatest": "1440.0",
        "mean": 0,
        "deviation": 0,
    }
    assert found["minutes"]["mean"] == pytest.approx(1450 / 3)
    assert (found["plan"]["gaps"], found["plan"]["least"]) == (pytest.approx(1 / 3), "basic")
    assert found["at"]["greatest"] == "2026-01-01 00:00:00"
    assert found["on"]["mean"] == pytest.approx(2 / 3)
    assert found["parts"]["least"] is None
    assert profile(calls().clear().lazy())["gaps"].to_list() == [0.0, 0.0, 0.0]


def parts_of(split: Split, column: str) -> list[set[object]]:
    parts = (split.training, split.validation, split.test)
    return [set(part.collect()[column].to_list()) for part in parts]


def test_no_group_is_in_two_parts_and_all_rows_are_in_one() -> None:
    split = split_by_group(days(500, 3), "customer", validation=0.2, test=0.3)
    training, validation, test = parts_of(split, "customer")
    assert not training & validation
    assert not training & test
    assert not validation & test
    sizes = split.sizes()
    assert sum(sizes.values()) == 1500
    assert sizes["dropped"] == 0
    assert 0.4 < sizes["training"] / 1500 < 0.6
    assert 0.22 < sizes["test"] / 1500 < 0.38
    assert split.training.collect_schema().names() == ["customer", "at", "calls"]


def test_a_group_stays_where_it_is_whatever_comes() -> None:
    before = parts_of(split_by_group(days(100, 2), "customer", seed=7), "customer")
    later = parts_of(split_by_group(days(300, 3).reverse(), "customer", seed=7), "customer")
    assert all(old <= new for old, new in zip(before, later, strict=True))
    assert before != parts_of(split_by_group(days(100, 2), "customer", seed=8), "customer")
    # Written down, so that no release of a library moves a customer unseen.
    assert sorted(before[2], key=str)[:4] == ["c16", "c31", "c44", "c48"]


def test_a_group_of_several_columns_and_rows_without_a_name() -> None:
    frame = pl.LazyFrame({"a": ["ab", "a", None, "ab"], "b": ["c", "bc", "c", "c"], "n": [1, 2, 3, 4]})
    split = split_by_group(frame, ["a", "b"], validation=0.3, test=0.3)
    assert split.dropped.collect()["n"].to_list() == [3]
    assert any({1, 4} <= part for part in parts_of(split, "n"))
    numbers = split_by_group(frame.with_columns(pl.col("n") * 0), "n")
    assert sorted(numbers.sizes().values()) == [0, 0, 0, 4]


def test_nothing_of_later_is_in_an_earlier_part() -> None:
    split = split_by_time(days(), "at", validation_from=start(20), test_from=start(25), gap=timedelta(days=2))
    training, validation, test = parts_of(split, "at")
    assert training == {start(day) for day in range(18)}
    assert validation == {start(day) for day in range(20, 23)}
    assert test == {start(day) for day in range(25, 30)}
    assert split.sizes() == {"training": 720, "validation": 120, "test": 200, "dropped": 160}


def test_by_time_nobody_is_recognised_where_a_group_is_said() -> None:
    rows = [("old", 1), ("old", 22), ("old", 27), ("mid", 21), ("mid", 28), ("new", 29), ("none", None)]
    frame = pl.LazyFrame(
        [(name, None if day is None else start(day)) for name, day in rows], schema=["customer", "at"], orient="row"
    )
    split = split_by_time(frame, "at", validation_from=start(20), test_from=start(25), group="customer")
    assert parts_of(split, "customer") == [{"old"}, {"mid"}, {"new"}]
    assert split.sizes()["dropped"] == 4
    assert split.test.collect_schema().names() == ["customer", "at"]


def test_a_split_that_cannot_be_is_told() -> None:
    with pytest.raises(ValueError, match="leave nothing for training"):
        split_by_group(days(), "customer", validation=0.5, test=0.5)
    with pytest.raises(LookupError, match="there is no column client; there are: customer, at, calls"):
        split_by_group(days(), "client")
    with pytest.raises(ValueError, match="are no borders"):
        split_by_time(days(), "at", validation_from=start(9), test_from=start(5))
    with pytest.raises(LookupError, match="there is no column when"):
        split_by_time(days(), "when", validation_from=start(1), test_from=start(5))
