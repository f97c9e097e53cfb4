"""What is sent to an engine and comes back as archives: files, and an image with nothing in it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping


def packed(files: Mapping[str, bytes], *, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> bytes:
    """An archive with these files, as the engine's archive call takes them; the same bytes each time.

    Example:
        >>> unpacked(packed({"a": b"1"}))
        {'a': b'1'}
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            entry.uid, entry.gid = owner
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files in an archive, by name."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {entry.name: file.read() for entry in archive if (file := archive.extractfile(entry)) is not None}


def empty_image(name: str, label: str) -> bytes:
    """An image with nothing in it but a label, to be loaded; whoever makes it, it is the same one, down to its id.

    Source: moby's image specification 1.2, which ``docker load`` takes; nothing of such an image is ever executed.
    """
    layer = packed({})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {label: "image"}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    content = json.dumps(config).encode()
    file = f"{hashlib.sha256(content).hexdigest()}.json"
    manifest = json.dumps([{"Config": file, "RepoTags": [name], "Layers": ["layer.tar"]}])
    return packed({file: content, "layer.tar": layer, "manifest.json": manifest.encode()})
