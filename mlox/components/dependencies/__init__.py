"""What a project depends on: where it says so, how requirements come and go without a trace, who imports them. Pure."""

from mlox.components.dependencies.arrays import PYPROJECT
from mlox.components.dependencies.imports import used_by_code
from mlox.components.dependencies.newproject import new_project
from mlox.components.dependencies.planning import Written, declared, requirements_added, requirements_removed
from mlox.components.dependencies.projects import is_project, project_of, projects

__all__ = [
    "PYPROJECT",
    "Written",
    "declared",
    "is_project",
    "new_project",
    "project_of",
    "projects",
    "requirements_added",
    "requirements_removed",
    "used_by_code",
]
