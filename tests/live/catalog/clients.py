"""The Python of a user who has a service's client: packages laid over those of the developer, kept between runs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.live.engine.cache import CACHE, alone

UV = Path(sys.executable).with_name("uv")
ROOT = Path(__file__).parents[3]


def python_with(packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment that has mlox and, before all else, these packages."""
    if not packages:
        return Path(sys.executable)
    beneath = sysconfig.get_path("purelib")
    text = "\n".join((sys.version, str(ROOT), beneath, *sorted(packages)))
    place = CACHE / "clients" / hashlib.sha256(text.encode()).hexdigest()[:16]
    python = place / "environment" / "bin" / "python"
    with alone("clients"):
        if not (place / "made").exists():
            place.mkdir(parents=True, exist_ok=True)
            _ran(UV, "venv", "--quiet", "--clear", "--python", sys.executable, place / "environment")
            _ran(UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *packages)
            (folder,) = place.glob("environment/lib/python*/site-packages")
            (folder / "beneath.pth").write_text(f"{ROOT}\n{beneath}\n")
            (place / "made").write_text(text)
    return python


def _ran(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
