"""Ollama: a language model that is made here, with weights by chance, and what it says to a prompt."""

from functools import partial

from tests.live.catalog.case import Case
from tests.live.engine.images import OLLAMA_IMAGE
from tests.live.engine.llama import OLLAMA
from tests.live.program_stage import path_with

# A llama of two layers whose words are bytes.
WRITE = """
import mlox, tempfile, pathlib
import gguf
import numpy as np
words, width, inner, heads = 259, 64, 128, 4
chance = np.random.default_rng(7)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "tiny.gguf")
    model = gguf.GGUFWriter(path, "llama")
    model.add_name("tiny")
    model.add_context_length(256)
    model.add_embedding_length(width)
    model.add_block_count(2)
    model.add_feed_forward_length(inner)
    model.add_head_count(heads)
    model.add_head_count_kv(heads)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_rope_dimension_count(width // heads)
    model.add_vocab_size(words)
    model.add_file_type(gguf.LlamaFileType.ALL_F32)
    kind = gguf.TokenType
    model.add_tokenizer_model("llama")
    model.add_token_list(["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))])
    model.add_token_scores([0.0] * words)
    model.add_token_types([kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.BYTE] * 256])
    model.add_bos_token_id(1)
    model.add_eos_token_id(2)
    model.add_unk_token_id(0)
    shapes = {"token_embd": (words, width), "output": (words, width), "output_norm": (width,)}
    for block in ("blk.0.", "blk.1."):
        shapes |= {block + "attn_norm": (width,), block + "ffn_norm": (width,), block + "ffn_down": (width, inner)}
        shapes |= {block + name: (width, width) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        shapes |= {block + name: (inner, width) for name in ("ffn_gate", "ffn_up")}
    for name, shape in shapes.items():
        weights = np.ones(shape) if name.endswith("norm") else chance.normal(0, 0.1, shape)
        model.add_tensor(name + ".weight", weights.astype(np.float32))
    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()
    client = mlox.get("ollama").client()
    client.create(model="tiny", files={"tiny.gguf": client.create_blob(path)})
"""
READ = """
import mlox
client = mlox.get("ollama").client()
(model,) = client.list().models
said = client.generate(model="tiny", prompt="hello", options={"num_predict": 12, "seed": 1, "temperature": 0})
print(model.model, model.digest, model.size, said.eval_count, said.response.encode())
"""

CASE = Case(
    WRITE,
    READ,
    packages=("gguf==0.19.0", "ollama==0.6.3"),
    images={"ollama": OLLAMA_IMAGE},
    path=partial(path_with, OLLAMA),
    heavy=dict.fromkeys(("native", "docker"), "ollama and its runner are built"),
)
