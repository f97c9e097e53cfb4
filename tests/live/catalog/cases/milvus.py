"""Milvus: a collection of vectors with words, found again by number and by nearness."""

from tests.live.catalog.case import Case

WRITE = """
import mlox
client = mlox.get("milvus").client()
client.create_collection("features", dimension=8, metric_type="L2", consistency_level="Strong")
rows = [{"id": i, "vector": [float((i * k) % 97) for k in range(1, 9)], "word": f"ü{i}"} for i in range(2000)]
assert client.insert("features", rows)["insert_count"] == 2000
client.flush("features")
"""
READ = """
import hashlib, mlox
client = mlox.get("milvus").client()
client.load_collection("features")
found = client.query("features", filter="id >= 0", output_fields=["id", "word", "vector"], limit=5000)
rows = sorted((row["id"], row["word"], [float(x) for x in row["vector"]]) for row in found)
near = client.search("features", [rows[41][2]], limit=3, output_fields=["word"])[0]
print(len(rows), hashlib.sha256(repr(rows).encode()).hexdigest(), [each["entity"]["word"] for each in near])
"""

CASE = Case(
    WRITE,
    READ,
    packages=("pymilvus==3.0.2",),
    absent={
        "docker": "milvusdb/milvus comes from Docker Hub alone, and cannot be built: the server's Go module is in no "
        "registry, nor is the C++ that it stands on"
    },
)
