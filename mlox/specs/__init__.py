"""What users and authors write: the frozen models that YAML is parsed into, at the edge."""

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
from mlox.specs.offers import GrantSpec, NeedSpec, ProvideSpec, SecretSpec, UrlSpec
from mlox.specs.registry import IndexEntrySpec, IndexFileSpec, RegistryIndexSpec, RegistrySpec
from mlox.specs.stack import EMBEDDED, ProfileSpec, ServerSpec, ServiceSpec, StackSpec
from mlox.specs.verifying import VerifySpec

__all__ = [
    "CONFIG",
    "EMBEDDED",
    "ROOT",
    "BackupSpec",
    "BinarySpec",
    "CatalogService",
    "ClientSpec",
    "ComponentOptionSpec",
    "ComponentServiceSpec",
    "ComponentSpec",
    "DataSpec",
    "FileSpec",
    "GrantSpec",
    "IndexEntrySpec",
    "IndexFileSpec",
    "JobSpec",
    "NativeSpec",
    "NeedSpec",
    "OptionSpec",
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
    "UnitSpec",
    "UrlSpec",
    "VerifySpec",
]
