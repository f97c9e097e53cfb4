"""Batches of something long, which is never held whole: by number, or by the weight of what is in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of ``size`` items, the last one shorter.

    Example:
        >>> list(chunks("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    if size < 1:
        raise ValueError(f"size is {size}: a batch holds at least one item")
    each = iter(items)
    while batch := list(itertools.islice(each, size)):
        yield batch


def chunks_within(items: Iterable[T], limit: float, weigh: Callable[[T], float]) -> Iterator[list[T]]:
    """Lists that weigh ``limit`` at most, such as bytes of a request or tokens of a prompt; the order stays.

    Raises:
        ValueError: one item alone weighs more.

    Example:
        >>> list(chunks_within(["aa", "b", "cccc", "d"], 4, len))
        [['aa', 'b'], ['cccc'], ['d']]
    """
    batch: list[T] = []
    total = 0.0
    for number, item in enumerate(items):
        weight = weigh(item)
        if weight > limit:
            raise ValueError(f"item {number} weighs {weight:g}, and the limit is {limit:g}")
        if batch and total + weight > limit:
            yield batch
            batch, total = [], 0.0
        batch.append(item)
        total += weight
    if batch:
        yield batch
