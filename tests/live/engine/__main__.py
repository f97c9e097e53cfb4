"""``python -m tests.live.engine``: ``run [--ahead] -- COMMAND...``, ``image NAME...``, ``compose``."""

from __future__ import annotations

import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.live.engine.daemons import connect
from tests.live.engine.go import MC, MINIO, OTELCOL, NoGoError, built, compose_binary
from tests.live.engine.images import RECIPE, NoImageError, need_image
from tests.live.engine.keeping import keep
from tests.live.engine.running import found_host, run

USAGE = f"usage: {__doc__}"


def images(names: list[str]) -> int:
    """Have images on the engine that there is."""
    host = found_host()
    if not host:
        print("error: no engine; put `python -m tests.live.engine run --` before it", file=sys.stderr)
        return 1
    with contextlib.closing(connect(host, timeout_s=600)) as client:
        for name in names:
            try:
                print(name, need_image(client, name))
            except (NoImageError, NoGoError) as error:
                print(f"error: {error}", file=sys.stderr)
                return 1
    return 0


def make_ahead() -> int:
    """Make all that tests may ask for, programs beside images; what fails, tests will tell."""

    def programs() -> None:
        with contextlib.suppress(NoGoError):
            compose_binary()
            for program in (MINIO, MC, OTELCOL):
                built(program)

    wanted = {name: recipe for name, recipe in RECIPE.items() if not recipe.heavy}
    with ThreadPoolExecutor(2) as pool:
        pool.submit(programs)
        made = pool.submit(images, [name for name, recipe in wanted.items() if not recipe.programs])
    return made.result() or images([name for name, recipe in wanted.items() if recipe.programs])


def main(argv: list[str]) -> int:
    """Do what the words say."""
    match argv:
        case ["run", "--", *command] if command:
            return run(command)
        case ["run", "--ahead", "--", *command] if command:
            return run(command, ahead=True)
        case ["image", *names] if names:
            return images(names)
        case ["compose"]:
            print(compose_binary())
            return 0
        case ["ahead"]:
            return make_ahead()
        case ["keep"]:
            return keep()
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
