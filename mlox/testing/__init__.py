"""What ships for tests: fakes that the contract suites hold to the same behaviour as the real parts."""

from mlox.testing.backend import FakeBackend
from mlox.testing.backup_store import FakeBackupStore
from mlox.testing.receiver import FakeReceiver
from mlox.testing.registry import FakeRegistry
from mlox.testing.secret_store import FakeSecretStore

__all__ = ["FakeBackend", "FakeBackupStore", "FakeReceiver", "FakeRegistry", "FakeSecretStore"]
