"""Why a service stands as it does: what is wrong, by which evidence, what to do next; where values came from. Pure."""

from mlox.explaining.case import Case, Diagnosis, Sight, Wire
from mlox.explaining.diagnosis import diagnose, status
from mlox.explaining.lines import telling_lines
from mlox.explaining.settings import Records, Setting, settings
from mlox.explaining.wiring import reasons

__all__ = [
    "Case",
    "Diagnosis",
    "Records",
    "Setting",
    "Sight",
    "Wire",
    "diagnose",
    "reasons",
    "settings",
    "status",
    "telling_lines",
]
