"""An image on an engine: pulled, or where no registry can be reached built from ``tests/live/images``.

A built image of Docker Hub is pushed to the engine's mirror, so that ``docker pull`` of its name comes from there. It
carries a digest of its recipe and is built again when that changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, ImageNotFound
from docker.utils import parse_repository_tag

from tests.live.engine.cache import alone
from tests.live.engine.go import MC, MINIO, OTELCOL, Program, built
from tests.live.engine.influx import INFLUXD
from tests.live.engine.llama import OLLAMA
from tests.live.engine.maven import KAFKA, Distribution, NoJavaError, collected

RECIPES = Path(__file__).parents[1] / "images"
LABEL = "org.mlox-tests.recipe"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
BUILD_S = 1200

AIRFLOW = "apache/airflow:3.3.2"
LITELLM = "ghcr.io/berriai/litellm:v1.106.2"
MLFLOW = "ghcr.io/mlflow/mlflow:v3.17.2-full"
FEAST_IMAGE = "quay.io/feastdev/feature-server:0.67.0"
MLSERVER_IMAGE = "seldonio/mlserver:1.7.1-sklearn"
INFLUXDB_IMAGE = "influxdb:2.7.12"
KAFKA_IMAGE = "apache/kafka:4.1.1"
PROMETHEUS = "docker.io/prom/prometheus:v2.42.0"
REGISTRY = "docker.io/library/registry:2.8.2"
COLLECTOR = "docker.io/otel/opentelemetry-collector:0.158.0"
OLLAMA_IMAGE = "ollama/ollama:0.17.4"
GIT = "alpine/git:2.49.1"
MINIO_IMAGE = "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z"


class NoImageError(Exception):
    """An image can be neither pulled nor built: why."""


@dataclass(frozen=True)
class Recipe:
    """How an image is built: a folder with a ``Dockerfile``, or with ``rootfs``, which writes a root as a tar.

    One that is ``heavy`` takes many minutes, and is made only where a test asks for it. ``instead`` has words of the
    file that read otherwise in another version of the same image, as upstream writes those from one template.
    """

    folder: str
    command: tuple[str, ...] = ()
    programs: Mapping[str, Program | Distribution] = field(default_factory=dict)
    heavy: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The folder."""
        return RECIPES / self.folder

    @property
    def file(self) -> str:
        """The name of the file that says how."""
        return "Dockerfile" if (self.path / "Dockerfile").exists() else "rootfs"

    @property
    def text(self) -> str:
        """What that file says of this version."""
        text = (self.path / self.file).read_text()
        for word, other in self.instead.items():
            assert word in text, f"{self.path} does not say {word}"
            text = text.replace(word, other)
        return text

    @property
    def base(self) -> str | None:
        """The image that it builds upon."""
        return self.text.partition("FROM ")[2].split()[0] if self.file == "Dockerfile" else None

    def digest(self) -> str:
        """Of all that goes into the image and is ours to change."""
        said = hashlib.sha256(repr((self.command, sorted(self.programs.items()))).encode())
        if self.instead:
            said.update(self.text.encode())
        for path in sorted(path for path in self.path.rglob("*") if path.is_file() and path.suffix != ".md"):
            said.update(f"{path.relative_to(self.path)}\0".encode() + path.read_bytes())
        if self.base:
            said.update(RECIPE[self.base].digest().encode())
        return said.hexdigest()[:16]


RECIPE = {
    "busybox:1": Recipe("busybox", ("sh",)),
    "debian:bookworm-slim": Recipe("debian", ("bash",)),
    "nginx:1": Recipe("nginx"),
    "postgres:15": Recipe("postgres"),
    "debian:trixie-slim": Recipe("debian", ("bash",), heavy=True, instead={"bookworm": "trixie"}),
    "postgres:17": Recipe("postgres", heavy=True, instead={"bookworm": "trixie", "PG_MAJOR=15": "PG_MAJOR=17"}),
    "python:3.11-slim": Recipe("python"),
    "redis:7": Recipe("redis"),
    INFLUXDB_IMAGE: Recipe("influxdb", programs={"influxd": INFLUXD}, heavy=True),
    KAFKA_IMAGE: Recipe("kafka", programs={"kafka": KAFKA}),
    AIRFLOW: Recipe("airflow", heavy=True),
    GIT: Recipe("git", heavy=True),
    LITELLM: Recipe("litellm", heavy=True),
    MINIO_IMAGE: Recipe("minio", programs={"minio": MINIO, "mc": MC}),
    MLFLOW: Recipe("mlflow"),
    FEAST_IMAGE: Recipe("feast"),
    MLSERVER_IMAGE: Recipe("mlserver"),
    PROMETHEUS: Recipe("prometheus"),
    REGISTRY: Recipe("registry"),
    COLLECTOR: Recipe("otelcol", programs={"otelcol": OTELCOL}, heavy=True),
    OLLAMA_IMAGE: Recipe("ollama", programs={"ollama": OLLAMA}, heavy=True),
}


def still() -> AbstractContextManager[None]:
    """Nobody else makes or fetches images here meanwhile: for who does, and for who looks that nothing changes."""
    return alone("images")


def need_image(client: docker.DockerClient, name: str) -> str:
    """Have an image on the engine under its name; its id.

    Raises:
        NoImageError: it can be neither pulled nor built here.
    """
    if found := _fresh(client, name):
        return found
    with alone(f"image-{name.replace('/', '_')}"):
        return _fresh(client, name) or _pulled(client, name) or _made(client, name)


def mirror_of(client: docker.DockerClient) -> str | None:
    """The address of the engine's own mirror, where that is on loopback and so is ours to push to."""
    mirrors = client.info().get("RegistryConfig", {}).get("Mirrors") or []
    addresses = (mirror.removeprefix("http://").rstrip("/") for mirror in mirrors if mirror.startswith("http://"))
    return next((address for address in addresses if address.startswith("127.")), None)


def _fresh(client: docker.DockerClient, name: str) -> str | None:
    """The image, where it is on the engine, and is upstream's or from the recipe as it is now."""
    try:
        image = client.images.get(name)
    except ImageNotFound:
        return None
    recipe = image.labels.get(LABEL)
    return str(image.id) if recipe is None or (name in RECIPE and recipe == RECIPE[name].digest()) else None


def _pulled(client: docker.DockerClient, name: str) -> str | None:
    """The image as a registry has it, where one can be reached that does."""
    with contextlib.suppress(APIError), still():
        client.images.pull(name)
    return _fresh(client, name)


def _made(client: docker.DockerClient, name: str) -> str:
    """The image, built; pushed to the mirror where it is one of Docker Hub's."""
    if name not in RECIPE:
        raise NoImageError(f"{name} cannot be pulled, and tests/live/images has no recipe for it")
    recipe = RECIPE[name]
    label = {LABEL: recipe.digest()}
    if recipe.base:
        need_image(client, recipe.base)
    for program in recipe.programs.values():
        _had(program)
    with still():
        if recipe.base:
            _build(client, recipe, name, label)
        else:
            _import(client, recipe, name, label)
        if (mirror := mirror_of(client)) and "." not in name.partition("/")[0]:
            publish(client, name, mirror)
    return str(client.images.get(name).id)


def _build(client: docker.DockerClient, recipe: Recipe, name: str, labels: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(recipe.path, context)
        (context / recipe.file).write_text(recipe.text)
        for file, program in recipe.programs.items():
            copy = shutil.copytree if isinstance(program, Distribution) else shutil.copy2
            copy(_had(program), context / file)
        try:
            client.images.build(
                path=str(context),
                tag=name,
                labels=dict(labels),
                buildargs={"PIP_CERT": AUTHORITIES},
                rm=True,
                forcerm=True,
                timeout=BUILD_S,
            )
        except BuildError as error:
            said = "".join(line.get("stream") or line.get("error") or "" for line in error.build_log)
            raise NoImageError(f"{name} does not build: {error.msg}\n{said[-2000:]}") from error


def _had(program: Program | Distribution) -> Path:
    """A program of an image, as a file or a folder in the cache."""
    try:
        return collected(program) if isinstance(program, Distribution) else built(program)
    except NoJavaError as error:
        raise NoImageError(f"an image needs {program.name}: {error}") from error


def _import(client: docker.DockerClient, recipe: Recipe, name: str, labels: Mapping[str, str]) -> None:
    changes = [f"CMD {json.dumps(recipe.command)}", *(f"LABEL {key}={value}" for key, value in labels.items())]
    with tempfile.NamedTemporaryFile() as root, tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as own:
        script = Path(shutil.copy2(recipe.path / recipe.file, own))
        script.write_text(recipe.text)
        try:
            subprocess.run((script,), stdout=root, stderr=said, check=True, timeout=BUILD_S)
        except (OSError, subprocess.SubprocessError) as error:
            said.seek(0)
            words = said.read().decode(errors="replace")[-2000:]
            raise NoImageError(f"{name} cannot be pulled, and its root cannot be made: {error}\n{words}") from error
        repository, tag = parse_repository_tag(name)
        client.api.import_image_from_file(root.name, repository=repository, tag=tag, changes=changes)


def publish(client: docker.DockerClient, name: str, mirror: str) -> None:
    """Put an image where the engine's mirror finds it."""
    repository, tag = parse_repository_tag(name)
    there = f"{mirror}/{repository if '/' in repository else f'library/{repository}'}"
    client.images.get(name).tag(there, tag)
    try:
        for line in client.images.push(there, tag=tag, stream=True, decode=True):
            if "error" in line:
                raise NoImageError(f"{name} cannot be pushed to the mirror: {line['error']}")
    finally:
        client.images.remove(f"{there}:{tag}", noprune=True)
