"""Where the seams lie: what back ends, transports, registries and secret stores answer, and the records that cross.

Every seam has a contract suite in ``tests/contracts/`` and a shipped fake in :mod:`mlox.testing`.
"""

from mlox.protocols.backend import (
    Backend,
    Endpoint,
    Facts,
    Health,
    Leftover,
    Observed,
    Program,
    Question,
    State,
    Viewer,
)
from mlox.protocols.carrying import Carrying, Passage
from mlox.protocols.events import Emit, Event, silent
from mlox.protocols.executing import Executing
from mlox.protocols.findings import Comparing, Deviation, Ending, Findings
from mlox.protocols.history import Entry, Outcome, Recording, Step, with_entry
from mlox.protocols.lines import Line, Lines
from mlox.protocols.measuring import Measuring, Usage, cpu_percent
from mlox.protocols.registry import Published, Registry
from mlox.protocols.saving import BackupStore, Sealing
from mlox.protocols.secrets import SecretChain, SecretStore, ServiceSecrets, StoredSecret, VersionedStore, WritableStore
from mlox.protocols.sharing import Changes, Leaver, Recipient, Resealed, SharedStore, Sharing
from mlox.protocols.telling import Receiver
from mlox.protocols.transport import Completed, Transport, Write
from mlox.protocols.undoing import Kept, Undoing

__all__ = [
    "Backend",
    "BackupStore",
    "Carrying",
    "Changes",
    "Comparing",
    "Completed",
    "Deviation",
    "Emit",
    "Ending",
    "Endpoint",
    "Entry",
    "Event",
    "Executing",
    "Facts",
    "Findings",
    "Health",
    "Kept",
    "Leaver",
    "Leftover",
    "Line",
    "Lines",
    "Measuring",
    "Observed",
    "Outcome",
    "Passage",
    "Program",
    "Published",
    "Question",
    "Receiver",
    "Recipient",
    "Recording",
    "Registry",
    "Resealed",
    "Sealing",
    "SecretChain",
    "SecretStore",
    "ServiceSecrets",
    "SharedStore",
    "Sharing",
    "State",
    "Step",
    "StoredSecret",
    "Transport",
    "Undoing",
    "Usage",
    "VersionedStore",
    "Viewer",
    "WritableStore",
    "Write",
    "cpu_percent",
    "silent",
    "with_entry",
]
