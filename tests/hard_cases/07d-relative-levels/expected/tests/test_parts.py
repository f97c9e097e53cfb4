from churn.deep.parts.below.leaf import total


def test_total():
    from churn.deep.parts import two

    assert total() == two.TWO + 1
