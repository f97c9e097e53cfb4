"""The files of a new component: small, whole, and right as they stand, so that its author begins with what works."""

from __future__ import annotations

import keyword
import re
from string import Template

from mlox.errors import UsageError
from mlox.specs.model import NAME
from mlox.specs.paths import path_fault

MANIFEST = """\
# What this component is; the files lie below src/project/$package/ and tests/.
name: $name
version: "0.1"
summary: greets, until you write what it does
package: $package
imports: greet
files: [__init__.py, greeting.py, README.md]
tests: [test_$package.py]

# Requirements as in pyproject.toml; whatever the code imports has to be declared here.
dependencies: []

options:
  punctuation:
    default: "!"
    constant: greeting.py:PUNCTUATION
    help: what a greeting ends with
"""

INIT = '''\
"""$title."""

from .greeting import greet

__all__ = ["greet"]
'''

GREETING = '''\
"""What is said. Imports inside the component are relative, so that it holds wherever it is put."""

PUNCTUATION = "!"


def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello {name}{PUNCTUATION}"
'''

README = """\
# $title

```python
greet("you")
```

| file | what you may want to change there |
|---|---|
| [greeting.py](greeting.py) | what is said |
"""

TEST = '''\
"""Whether it greets. Tests import from `project`, which becomes the user's own package."""

from __future__ import annotations

from project.$package import greet


def test_it_greets_by_name() -> None:
    assert greet("Ada").startswith("Hello Ada")
'''


def new_component(name: str) -> dict[str, bytes]:
    """The files of a new component by their paths in its folder.

    Raises:
        UsageError: no component can have that name.

    Example:
        >>> sorted(new_component("fraud-scores"))[0]
        'component.yaml'
    """
    package = name.replace("-", "_")
    if not re.fullmatch(NAME, name) or len(name) > 40 or keyword.iskeyword(package) or path_fault(name):
        raise UsageError(
            f"{name!r} cannot be a component's name: lower case letters, digits and single hyphens",
            hint="For example: fraud-scores.",
        )
    title = name.replace("-", " ").capitalize()
    code = f"src/project/{package}"
    texts = {
        "component.yaml": MANIFEST,
        f"{code}/__init__.py": INIT,
        f"{code}/greeting.py": GREETING,
        f"{code}/README.md": README,
        f"tests/test_{package}.py": TEST,
    }
    keys = {"name": name, "package": package, "title": title}
    return {path: Template(text).substitute(keys).encode() for path, text in texts.items()}
