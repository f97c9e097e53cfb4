"""How much the base install is: its distributions apart from IPython's own, and their megabytes."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions
from pathlib import Path

from measuring.environments import compiled, ours, release
from measuring.stopwatch import verdict

TARGET = 12


def main() -> None:
    folder = ours()
    (packages,) = folder.glob("lib/python*/site-packages")
    installed = {_plain(each.name): each for each in distributions(path=[str(packages)])}
    around = {_plain(line.partition("==")[0]) for line in compiled(f"ipython=={installed['ipython'].version}")}
    own = {name: _bytes(each) for name, each in installed.items() if name not in around}
    shared = sum(_bytes(each) for name, each in installed.items() if name in around)
    print(f"{release(folder)}: {len(installed)} distributions, {(sum(own.values()) + shared) / 1e6:.1f} MB")
    for name, size in sorted(own.items(), key=lambda item: -item[1]):
        print(f"  {name} {installed[name].version}: {size / 1e6:.1f} MB")
    print(f"  IPython's own {len(installed) - len(own)}: {shared / 1e6:.1f} MB")
    print(
        f"apart from IPython's: {len(own)} distributions (target {TARGET}: {verdict(len(own), TARGET)}),"
        f" {sum(own.values()) / 1e6:.1f} MB, {(sum(own.values()) - own['uv']) / 1e6:.1f} MB without uv's program"
    )


def _plain(name: str) -> str:
    """The normalised name, as of https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(distribution: Distribution) -> int:
    """The size of its files, without bytecode."""
    paths = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())


if __name__ == "__main__":
    main()
