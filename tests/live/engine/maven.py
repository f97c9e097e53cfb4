"""Programs that come as Java archives: put together from Maven Central in the cache, once a version.

Apache publishes Kafka's broker and tools there as jars; the archive that people download has the same jars, and scripts
that start them. Ours are in ``tests/live/engine/kafka/``, written from the contract of upstream's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.live.engine.cache import BINARIES, HOME, alone

COPY_S = 900
SCRIPTS = Path(__file__).parent / "kafka"
TOOLS = {
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
}
"""Which class each of Kafka's programs runs, as in upstream's ``bin/``."""


class NoJavaError(Exception):
    """A program cannot be had: why."""


@dataclass(frozen=True)
class Distribution:
    """A folder like the one that upstream distributes: ``bin``, ``config``, ``libs``."""

    name: str
    version: str
    artifacts: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where it is, once it is made."""
        return BINARIES / f"{self.name}-{self.version}"


KAFKA = Distribution(
    "kafka",
    "4.1.1",
    (
        "org.apache.kafka:kafka_2.13:4.1.1",
        "org.apache.kafka:kafka-tools:4.1.1",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    ),
)


def collected(distribution: Distribution) -> Path:
    """The folder, made where it is not in the cache.

    Raises:
        NoJavaError: there is no Java or no Maven, or the jars cannot be had.
    """
    with alone(f"build-{distribution.name}"):
        if not distribution.path.exists():
            _collect(distribution)
    return distribution.path


def _collect(distribution: Distribution) -> None:
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NoJavaError(f"there is no {program} on the PATH")
    BINARIES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BINARIES) as folder:
        made = Path(folder) / distribution.name
        shutil.copytree(SCRIPTS, made)
        for tool, main in TOOLS.items():
            script = made / "bin" / tool
            script.write_text(f'#!/bin/sh\nexec "$(dirname "$0")/kafka-run-class.sh" {main} "$@"\n')
        for script in (made / "bin").iterdir():
            script.chmod(0o755)
        (Path(folder) / "pom.xml").write_text(_pom(distribution))
        said = subprocess.run(
            (
                *("nice", "mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies"),
                *("-DincludeScope=runtime", f"-DoutputDirectory={made / 'libs'}"),
            ),
            cwd=folder,
            env={**os.environ, "HOME": str(HOME)},
            capture_output=True,
            text=True,
            timeout=COPY_S,
            check=False,
        )
        if said.returncode:
            raise NoJavaError(
                f"{distribution.name} {distribution.version} cannot be had: {said.stdout.strip()[-2000:]}"
            )
        made.chmod(0o755)
        made.rename(distribution.path)


def _pom(distribution: Distribution) -> str:
    """A project that depends on the artifacts; Maven adds what these need."""
    parts = (artifact.split(":") for artifact in distribution.artifacts)
    needed = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in parts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>mlox.test</groupId><artifactId>{distribution.name}</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{needed}</dependencies></project>"
    )
