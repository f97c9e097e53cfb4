"""Whether features come back as they were built: the latest ones online, offline those of each label's time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from project.feature_store import FeatureStore, FeatureTable, Settings
from project.feature_store.settings import connection_string

REDIS_URL = os.environ.get("REDIS_URL", "")
NO_REDIS = pytest.mark.skipif(not REDIS_URL, reason="REDIS_URL is not set")


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=NO_REDIS)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FeatureStore]:
    settings = Settings(tmp_path / "features", request.param, redis_url=REDIS_URL, project=f"test_{os.getpid()}")
    made = FeatureStore(settings)
    yield made
    made.feast.teardown()  # type: ignore[no-untyped-call]


def customers() -> pd.DataFrame:
    """What was known of two customers, twice."""
    return pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2],
            "event_timestamp": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-01-01", "2026-02-01"]),
            "calls": [0, 3, 1, 1],
            "spend": [10.0, 12.5, 99.0, 80.0],
            "plan": ["basic", "plus", "plus", None],
            "active": [True, False, True, True],
        }
    )


def test_online_gives_the_latest_values_in_the_order_asked_for(store: FeatureStore) -> None:
    store.build("customers", customers(), entity="customer_id")
    found = store.online("customers", {"customer_id": [2, 1]})
    assert list(found.columns) == ["customer_id", "calls", "spend", "plan", "active"]
    assert found.to_dict("records") == [
        {"customer_id": 2, "calls": 1, "spend": 80.0, "plan": None, "active": True},
        {"customer_id": 1, "calls": 3, "spend": 12.5, "plan": "plus", "active": False},
    ]


def test_online_gives_nothing_for_an_unknown_entity(store: FeatureStore) -> None:
    store.build("customers", customers(), entity="customer_id")
    (row,) = store.online(["customers:calls", "customers:plan"], {"customer_id": [7]}).to_dict("records")
    assert pd.isna(row["calls"])
    assert row["plan"] is None


def test_offline_gives_what_held_at_each_label_and_nothing_later(store: FeatureStore) -> None:
    store.build("customers", customers(), entity="customer_id")
    times = pd.to_datetime(["2026-02-15", "2026-01-15", "2025-12-01", "2026-01-15"])
    labels = pd.DataFrame({"customer_id": [1, 1, 2, 2], "event_timestamp": times, "churned": [1, 0, 0, 0]})
    found = store.offline(["customers:calls", "customers:plan"], labels)
    assert list(found.columns) == ["customer_id", "event_timestamp", "churned", "calls", "plan"]
    assert list(found["churned"]) == [1, 0, 0, 0]
    assert list(found["calls"].fillna(-1)) == [3, 0, -1, 1]
    assert list(found["plan"].fillna("none")) == ["plus", "basic", "none", "plus"]


def test_features_of_two_tables_come_together(store: FeatureStore) -> None:
    store.build("customers", customers(), entity="customer_id")
    scores = customers()[["customer_id", "event_timestamp"]].assign(score=[0.1, 0.2, 0.3, 0.4])
    store.build("scores", scores, entity="customer_id")
    found = store.online(["customers:calls", "scores:score"], {"customer_id": [1]})
    assert found.to_dict("records") == [{"customer_id": 1, "calls": 3, "score": 0.2}]
    assert store.tables() == {"customers": ["calls", "spend", "plan", "active"], "scores": ["score"]}


def test_building_again_replaces_the_history(store: FeatureStore) -> None:
    store.build("customers", customers(), entity="customer_id")
    later = customers().assign(calls=[5, 6, 7, 8]).drop(columns="plan")
    store.build("customers", later, entity="customer_id")
    assert store.tables()["customers"] == ["calls", "spend", "active"]
    assert list(store.online(["customers:calls"], {"customer_id": [1, 2]})["calls"]) == [6, 8]


def test_entities_may_be_texts(store: FeatureStore) -> None:
    frame = customers().assign(customer_id=["ann", "ann", "bo", "bo"])
    store.build("people", frame, entity="customer_id")
    assert list(store.online(["people:calls"], {"customer_id": ["bo", "ann"]})["calls"]) == [1, 3]


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (customers().drop(columns="customer_id"), "no column customer_id"),
        (customers().iloc[:0], "no rows"),
        (customers().assign(event_timestamp="today"), "not times"),
        (customers().assign(event_timestamp=pd.to_datetime([float("nan")] * 4)), "in every row"),
        (customers().assign(customer_id=1), "two rows have the same"),
        (customers().assign(customer_id=[0.5, 1.5, 2.5, 3.5]), "a whole number or a text"),
        (customers().assign(plan=pd.Series([[1], [2], [3], [4]])), "no feature can be made of plan"),
        (customers()[["customer_id", "event_timestamp"]], "no column beside"),
    ],
)
def test_a_frame_that_is_no_table_is_refused(frame: pd.DataFrame, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        FeatureTable.of(frame, "customers", entity="customer_id")


def test_what_is_not_there_is_named(store: FeatureStore) -> None:
    store.build("customers", customers(), entity="customer_id")
    with pytest.raises(ValueError, match="no table or feature 'customer'; the tables are: customers"):
        store.online("customer", {"customer_id": [1]})
    with pytest.raises(ValueError, match="no column customer_id"):
        store.offline("customers", pd.DataFrame({"event_timestamp": pd.to_datetime(["2026-01-01"])}))
    with pytest.raises(ValueError, match="a column calls already"):
        store.offline("customers", customers()[["customer_id", "event_timestamp", "calls"]])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://localhost", "localhost:6379,db=0"),
        ("redis://:p%2C%40ss@10.0.0.1:7000/2", r'10.0.0.1:7000,db=2,password="p\u002c@ss"'),
        ("rediss://ann:1234@host/0", 'host:6379,db=0,username="ann",password="1234",ssl=true'),
    ],
)
def test_a_redis_url_is_told_to_feast(url: str, expected: str) -> None:
    assert connection_string(url) == expected


@pytest.mark.parametrize("url", ["", "http://host", "redis://"])
def test_a_redis_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="REDIS_URL"):
        connection_string(url)


def test_nothing_of_the_address_is_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(Settings(tmp_path, "redis", redis_url="redis://:secret@host"))
