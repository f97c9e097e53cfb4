from project.alpha.store import A


def test_it() -> None:
    assert A
