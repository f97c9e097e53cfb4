from project.parts.below.leaf import total


def test_total():
    from project.parts import two

    assert total() == two.TWO + 1
