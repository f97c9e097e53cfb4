"""What users and authors write: the frozen models that YAML is parsed into, at the edge."""

from mlox.specs.alerts import AlertRuleSpec, AlertsSpec, EmailSpec, TellSpec
from mlox.specs.catalog import (
    CONFIG,
    BackupSpec,
    BinarySpec,
    CatalogService,
    ClientSpec,
    DataSpec,
    FileSpec,
    JobSpec,
    NativeSpec,
    OptionSpec,
    PortSpec,
    ProbeSpec,
    PythonSpec,
    UnitSpec,
)
from mlox.specs.component import ROOT, ComponentOptionSpec, ComponentServiceSpec, ComponentSpec
from mlox.specs.conditions import Condition, condition
from mlox.specs.kubernetes import ClaimSpec, PodSpec
from mlox.specs.offers import GrantSpec, NeedSpec, ProvideSpec, SecretSpec, UrlSpec
from mlox.specs.registry import IndexEntrySpec, IndexFileSpec, RegistryIndexSpec, RegistrySpec
from mlox.specs.stack import EMBEDDED, ProfileSpec, ServerSpec, ServiceSpec, StackSpec
from mlox.specs.verifying import VerifySpec

__all__ = [
    "CONFIG",
    "EMBEDDED",
    "ROOT",
    "AlertRuleSpec",
    "AlertsSpec",
    "BackupSpec",
    "BinarySpec",
    "CatalogService",
    "ClaimSpec",
    "ClientSpec",
    "ComponentOptionSpec",
    "ComponentServiceSpec",
    "ComponentSpec",
    "Condition",
    "DataSpec",
    "EmailSpec",
    "FileSpec",
    "GrantSpec",
    "IndexEntrySpec",
    "IndexFileSpec",
    "JobSpec",
    "NativeSpec",
    "NeedSpec",
    "OptionSpec",
    "PodSpec",
    "PortSpec",
    "ProbeSpec",
    "ProfileSpec",
    "ProvideSpec",
    "PythonSpec",
    "RegistryIndexSpec",
    "RegistrySpec",
    "SecretSpec",
    "ServerSpec",
    "ServiceSpec",
    "StackSpec",
    "TellSpec",
    "UnitSpec",
    "UrlSpec",
    "VerifySpec",
    "condition",
]
