"""Qdrant: points with what belongs to them, found again by number and by nearness."""

from tests.live.catalog.case import Case

WRITE = """
import mlox
from qdrant_client.models import Distance, PointStruct, VectorParams
client = mlox.get("qdrant").client()
client.create_collection("features", vectors_config=VectorParams(size=8, distance=Distance.EUCLID))
rows = ([float((i * k) % 97) for k in range(1, 9)] for i in range(2000))
client.upsert("features", [PointStruct(id=i, vector=row, payload={"word": f"ü{i}"}) for i, row in enumerate(rows)])
"""
READ = """
import hashlib, mlox
client = mlox.get("qdrant").client()
points, _ = client.scroll("features", limit=5000, with_payload=True, with_vectors=True)
rows = sorted((point.id, point.payload["word"], point.vector) for point in points)
near = client.query_points("features", query=rows[41][2], limit=3).points
print(len(rows), hashlib.sha256(repr(rows).encode()).hexdigest(), [point.id for point in near])
"""

NOWHERE = (
    "its server is Rust, and no registry that was asked has it: Rust's holds its name alone (0.0.0), PyPI has clients "
    "and the embedded engine, Debian nothing; its source needs Rust 1.97 and crates of its own"
)

CASE = Case(
    WRITE,
    READ,
    packages=("qdrant-client==1.19.0",),
    absent={"native": NOWHERE, "docker": f"{NOWHERE}; the image comes from Docker Hub alone"},
)
