"""Greedy text is the reference's: small random models of every family that writes, real weights."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from checkpoints.models import loaded, random_case, reference, write
from torch import Tensor

from headway.errors import ConfigError
from headway.model import Model

from .references import TASKS, case_of

SEEDS = {"gpt2": (2, 19, 26), "llama": (5, 17, 38), "t5": (15, 47, 58)}
"""Of random models that write more than the same word again and again."""

NEW = 9


def theirs_alone(theirs: Any, prompt: list[int], eos: int | list[int] | None) -> list[int]:
    """What the reference writes after one prompt alone, where no padding can touch it."""
    out = theirs.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
        max_new_tokens=NEW,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=eos,
    )[0].tolist()
    new = out[1:] if theirs.config.is_encoder_decoder else out[len(prompt) :]
    stops = {eos} if isinstance(eos, int) else set(eos or ())
    ends = [place for place, token in enumerate(new) if token in stops]
    return list(new[: ends[0]] if ends else new)


@pytest.mark.parametrize(("kind", "seed"), [(k, seed) for k in SEEDS for seed in SEEDS[k]])
def test_a_ragged_batch_writes_what_each_prompt_alone_does_there(
    kind: str, seed: int, tmp_path: Path
) -> None:
    case = case_of(kind, seed)
    theirs = reference(case, TASKS[kind])
    free = [theirs_alone(theirs, prompt, None) for prompt in case.texts]
    assert [len(new) for new in free] == [NEW] * len(case.texts)
    assert len({token for new in free for token in new}) > 3
    model = loaded(write(theirs, tmp_path))
    assert model.generate_ids(case.texts, max_new_tokens=NEW) == free
    assert model.generate_ids(case.texts[:1], max_new_tokens=NEW) == free[:1]
    # Tokens that are written somewhere in the middle, as ends.
    ends = [free[0][3], free[2][5]]
    for eos in (ends[0], ends):
        case.config.eos_token_id = eos
        config = json.loads((tmp_path / "generation_config.json").read_text())
        (tmp_path / "generation_config.json").write_text(
            json.dumps({**config, "eos_token_id": eos})
        )
        wanted = [theirs_alone(theirs, prompt, eos) for prompt in case.texts]
        assert wanted != free
        assert loaded(tmp_path).generate_ids(case.texts, max_new_tokens=NEW) == wanted


def test_where_the_end_and_the_start_are_said(tmp_path: Path) -> None:
    case = case_of("t5", 0)
    theirs = reference(case, "text2text-generation")
    write(theirs, tmp_path)
    (tmp_path / "generation_config.json").unlink()
    path = tmp_path / "config.json"
    values = json.loads(path.read_text())
    for start in (0, 5, 6):
        path.write_text(json.dumps({**values, "decoder_start_token_id": start}))
        theirs.generation_config.decoder_start_token_id = start
        wanted = [theirs_alone(theirs, prompt, None) for prompt in case.texts]
        assert loaded(tmp_path).generate_ids(case.texts, max_new_tokens=NEW) == wanted
    for wrong in ({"pad_token_id": None}, {"decoder_start_token_id": 10**6}):
        values.pop("decoder_start_token_id", None)
        path.write_text(json.dumps({**values, **wrong}))
        with pytest.raises(ConfigError, match=r"decoder's first token is .*set decoder_start_tok"):
            loaded(tmp_path).generate_ids(case.texts)


def test_what_cannot_be_asked_for(tmp_path: Path) -> None:
    case = case_of("gpt2", 0)
    model = loaded(write(reference(case, "text-generation"), tmp_path / "a"))
    room = 40 - 12  # beside the longest of the prompts
    assert len(model.generate_ids(case.texts, max_new_tokens=room)[2]) == room
    with pytest.raises(ConfigError, match=r"a prompt of 12 tokens and 29 new ones. Allowed: 40"):
        model.generate_ids(case.texts, max_new_tokens=room + 1)
    with pytest.raises(ConfigError, match=r"max_new_tokens = -1"):
        model.generate_ids(case.texts, max_new_tokens=-1)
    with pytest.raises(ConfigError, match=r"text 1 has no tokens"):
        model.generate_ids([[1], []])
    assert model.generate_ids([]) == []
    assert model.generate_ids(case.texts, max_new_tokens=0) == [[]] * 4
    with pytest.raises(ConfigError, match="has no tokenizer"):
        model.generate(["a"])
    model.put_head(None)
    with pytest.raises(ConfigError, match=r"writes no text; its head is for nothing, it has none"):
        model.generate_ids([[1]])
    masked = loaded(write(reference(random_case("bert", 0), "fill-mask"), tmp_path / "b"))
    with pytest.raises(ConfigError, match=r"writes no text; its head is for fill-mask"):
        masked.generate_ids([[1]])


def test_dropout_is_off_meanwhile(tmp_path: Path) -> None:
    case = case_of("gpt2", 1)
    case.config.resid_pdrop = 0.9
    model = loaded(write(reference(case, "text-generation"), tmp_path))
    wanted = model.generate_ids(case.texts)
    model.train()
    assert model.generate_ids(case.texts) == wanted
    assert model.training
    assert all(part.training for part in model.modules())


# Real weights: 260 thousand of them, trained on children's stories.


def stories(data: Path, folder: Path) -> Any:
    """llama2.c's binary as a model of the reference library, saved with its tokenizer."""
    raw = (data / "stories260K.bin").read_bytes()
    dim, inner, layers, heads, kv_heads, vocabulary, positions = struct.unpack_from("<7i", raw)
    assert vocabulary > 0  # negative would mean a head of its own
    numbers = torch.frombuffer(bytearray(raw[28:]), dtype=torch.float32)
    place = 0

    def take(*shape: int) -> Tensor:
        nonlocal place
        size = torch.Size(shape).numel()
        place += size
        return numbers[place - size : place].reshape(shape).clone()

    size, kv = dim // heads, dim // heads * kv_heads

    def halves(weight: Tensor) -> Tensor:
        """There neighbouring dimensions turn together, here those half a head apart."""
        pairs = weight.reshape(-1, size // 2, 2, dim)  # [heads, pairs, 2, dim]
        return pairs.transpose(1, 2).reshape(-1, dim)

    state = {"model.embed_tokens.weight": take(vocabulary, dim)}
    parts = {
        "input_layernorm": (dim,),
        "self_attn.q_proj": (dim, dim),
        "self_attn.k_proj": (kv, dim),
        "self_attn.v_proj": (kv, dim),
        "self_attn.o_proj": (dim, dim),
        "post_attention_layernorm": (dim,),
        "mlp.gate_proj": (inner, dim),
        "mlp.down_proj": (dim, inner),
        "mlp.up_proj": (inner, dim),
    }
    for name, shape in parts.items():
        for layer, weight in enumerate(take(layers, *shape)):
            turned = name[-6:] in ("q_proj", "k_proj")
            state[f"model.layers.{layer}.{name}.weight"] = halves(weight) if turned else weight
    state["model.norm.weight"] = take(dim)
    take(positions * size)  # tables of cosines and sines
    assert place == len(numbers)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=dim,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=positions,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    )
    model: Any = transformers.LlamaForCausalLM(config)
    missing = model.load_state_dict(state, strict=False).missing_keys
    assert missing == ["lm_head.weight"]
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(stories_tokenizer(data, vocabulary)))
    return model


def stories_tokenizer(data: Path, vocabulary: int) -> dict[str, Any]:
    """llama2.c's list of pieces and scores as a tokenizer.json: merges in order of score."""
    raw, place = (data / "tok512.bin").read_bytes(), 4
    pieces: list[tuple[str, float]] = []
    while len(pieces) < vocabulary:
        score, length = struct.unpack_from("<fi", raw, place)
        pieces.append((raw[place + 8 : place + 8 + length].decode(), score))
        place += 8 + length
    names = ["<unk>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256))]
    names += [piece.replace(" ", "▁") for piece, _ in pieces[259:]]
    known = {name: number for number, name in enumerate(names)}
    ranked = sorted(range(259, vocabulary), key=lambda number: -pieces[number][1])
    merges = [
        [names[number][:cut], names[number][cut:]]
        for number in ranked
        for cut in range(1, len(names[number]))
        if names[number][:cut] in known and names[number][cut:] in known
    ]
    special = [
        {"id": n, "content": names[n], "special": True, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False}
        for n in range(3)
    ]  # fmt: skip
    return {
        "version": "1.0",
        "added_tokens": special,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "byte_fallback": True,
            "fuse_unk": True,
            "vocab": known,
            "merges": merges,
        },
    }


@pytest.fixture(scope="module")
def storyteller(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Model]:
    data = Path(__file__).parents[3] / "shared/data/model-stories260K"
    if not data.is_dir():
        pytest.skip(f"no real weights at {data}")
    folder = tmp_path_factory.mktemp("stories")
    return stories(data, folder), loaded(folder)


PROMPTS = ["Once upon a time", "Lily and Tom went to the park. They", "The dog"]


def test_real_weights_compute_the_same(storyteller: tuple[Any, Model]) -> None:
    theirs, model = storyteller
    ids = [model.need_tokenizer().encode(prompt).ids for prompt in PROMPTS]
    logits = model.forward(ids).logits
    assert logits is not None
    for row, ours in zip(ids, logits, strict=True):
        with torch.no_grad():
            torch.testing.assert_close(
                ours, theirs(torch.tensor([row])).logits[0], rtol=1e-4, atol=1e-4
            )


def test_real_weights_tell_a_story(storyteller: tuple[Any, Model]) -> None:
    theirs, model = storyteller
    texts = model.generate(PROMPTS, max_new_tokens=40)
    tokenizer = model.need_tokenizer()
    for prompt, text in zip(PROMPTS, texts, strict=True):
        ids = tokenizer.encode(prompt).ids
        out = theirs.generate(torch.tensor([ids]), max_new_tokens=40, do_sample=False)[0]
        assert text == tokenizer.decode(out[len(ids) :].tolist())
    assert texts[0].startswith(", there was a little girl named Lily.")
