"""Where secrets stand in files, notebooks and git history: values of the workspace, and known shapes of keys."""

from mlox.scanning.contents import findings_in
from mlox.scanning.looking import Finding, Needles
from mlox.scanning.notebooks import is_notebook, scrubbed

__all__ = ["Finding", "Needles", "findings_in", "is_notebook", "scrubbed"]
