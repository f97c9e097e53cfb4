"""Components: template code that becomes the user's own, as plans of edits that the journal writes. Pure.

Nothing here writes. Whoever adds or removes a component reads the tree, asks for a plan, and hands its edits to the
journal of the workspace (:mod:`mlox.journal`), which carries out all or none.
"""

from mlox.components.closure import LookUp, Offer, closure
from mlox.components.dependencies import declared
from mlox.components.inject import Addition, plan_addition
from mlox.components.layout import Place, choose_place, is_at, place_beside
from mlox.components.manifest import Template
from mlox.components.plan import EditPlan
from mlox.components.published import newest, note_on, refuse_changed
from mlox.components.records import Record, read_records
from mlox.components.removal import Removal, plan_removal
from mlox.components.state import ComponentWord, state_of
from mlox.components.together import plan_additions
from mlox.components.tree import Tree
from mlox.components.undoing import remembered

__all__ = [
    "Addition",
    "ComponentWord",
    "EditPlan",
    "LookUp",
    "Offer",
    "Place",
    "Record",
    "Removal",
    "Template",
    "Tree",
    "choose_place",
    "closure",
    "declared",
    "is_at",
    "newest",
    "note_on",
    "place_beside",
    "plan_addition",
    "plan_additions",
    "plan_removal",
    "read_records",
    "refuse_changed",
    "remembered",
    "state_of",
]
