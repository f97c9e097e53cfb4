from churn.parts.store import LIMIT


def test_limit():
    assert LIMIT
