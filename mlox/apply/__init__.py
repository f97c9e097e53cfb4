"""How a plan becomes effects: the one place that moves machines, through the seams."""

from mlox.apply.carrying_out import apply
from mlox.apply.rotating import take_back
from mlox.apply.running import ALPHABET
from mlox.apply.seams import Applied, Pins, Seams

__all__ = ["ALPHABET", "Applied", "Pins", "Seams", "apply", "take_back"]
