from project.parts import two as other

from ...parts.two import TWO
from . import ONE


def total():
    return ONE + TWO if other else 0
