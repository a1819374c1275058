"""Checkpoints of llama2.c write what that program writes."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
from contracts import close, stir
from tokenizer.oracles import TRAINING, data, hostile
from transformers import LlamaConfig, LlamaForCausalLM

import headway
from headway.errors import CheckpointError, InputError, TokenizerError
from headway.tokenizer import Tokenizer

FOLDER = "model-stories260K"

STORY = """\
Once upon a time, there was a little girl named Lily. She loved to play outside in the park. \
One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. \
She said, "I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she"""
"""What llama2.c's own test (test_all.py) expects of 200 steps of run.c at temperature 0."""


class Program:
    """run.c with the names it has there, one position at a time; version 0, 32 bits."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        self.dim, self.inner, self.layers, self.heads, self.kv_heads, vocab, self.seq = (
            struct.unpack_from("<7i", raw)
        )
        self.shared, self.vocab = vocab > 0, abs(vocab)
        self.size = self.dim // self.heads
        weights = np.frombuffer(raw, np.float32, offset=28)
        place = 0

        def take(*shape: int) -> Any:
            nonlocal place
            count = int(np.prod(shape))
            place += count
            return weights[place - count : place].reshape(shape)

        n, d, kv = self.layers, self.dim, self.kv_heads * self.size
        self.table = take(self.vocab, d)
        self.rms_att, self.wq = take(n, d), take(n, d, d)
        self.wk, self.wv, self.wo = take(n, kv, d), take(n, kv, d), take(n, d, d)
        self.rms_ffn, self.w1 = take(n, d), take(n, self.inner, d)
        self.w2, self.w3 = take(n, d, self.inner), take(n, self.inner, d)
        self.rms_final = take(d)
        take(2, self.seq, self.size // 2)
        self.wcls = self.table if self.shared else take(self.vocab, d)
        self.keys: list[list[Any]] = [[] for _ in range(n)]
        self.values: list[list[Any]] = [[] for _ in range(n)]

    @staticmethod
    def rmsnorm(x: Any, weight: Any) -> Any:
        return weight * (x / np.sqrt((x * x).mean() + np.float32(1e-5)))

    def turned(self, x: Any, pos: int) -> Any:
        out = x.copy()
        for i in range(0, len(x), 2):
            angle = pos / 10000.0 ** ((i % self.size) / self.size)
            cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
            out[i], out[i + 1] = x[i] * cos - x[i + 1] * sin, x[i] * sin + x[i + 1] * cos
        return out

    def forward(self, token: int, pos: int) -> Any:
        x = self.table[token].copy()
        for n in range(self.layers):
            h = self.rmsnorm(x, self.rms_att[n])
            q = self.turned(self.wq[n] @ h, pos)
            self.keys[n].append(self.turned(self.wk[n] @ h, pos))
            self.values[n].append(self.wv[n] @ h)
            keys, values = np.stack(self.keys[n]), np.stack(self.values[n])
            mixed = []
            for head in range(self.heads):
                at = slice(head // (self.heads // self.kv_heads) * self.size, None)
                k, v = keys[:, at][:, : self.size], values[:, at][:, : self.size]
                one = q[head * self.size : (head + 1) * self.size]
                score = k @ one / np.float32(np.sqrt(self.size))
                score = np.exp(score - score.max())
                mixed.append((score / score.sum()) @ v)
            x = x + self.wo[n] @ np.concatenate(mixed)
            h = self.rmsnorm(x, self.rms_ffn[n])
            gate = self.w1[n] @ h
            x = x + self.w2[n] @ (gate / (1 + np.exp(-gate)) * (self.w3[n] @ h))
        return self.wcls @ self.rmsnorm(x, self.rms_final)

    def write(self, prompt: list[int], steps: int) -> list[int]:
        """What it writes at temperature 0; token 1 ends it."""
        token, out = prompt[0], []
        for pos in range(steps):
            logits = self.forward(token, pos)
            token = prompt[pos + 1] if pos + 1 < len(prompt) else int(logits.argmax())
            if token == 1:
                break
            out.append(token)
        return out


def test_the_released_stories() -> None:
    """Logits, and 150 tokens of a story, are those of the program."""
    path = data(FOLDER, "stories260K.bin")
    model = headway.load(path)
    assert model.tokenizer is not None and model.task == "text-generation"
    ids = model.tokenizer.encode("Lily had a").ids
    assert ids[0] == 1
    program = Program(path)
    wanted = [program.forward(token, pos) for pos, token in enumerate(ids)]
    out = model.forward([ids])
    assert out.logits is not None
    close(out.logits[0], torch.from_numpy(np.stack(wanted)), 1e-4)
    told = Program(path).write(ids, 150)
    assert model.generate_ids([ids], max_new_tokens=150 - len(ids) + 1)[0] == told[len(ids) - 1 :]
    text = model.generate([""], max_new_tokens=20)[0]
    assert text.startswith("Once upon a time, there was a")


def test_the_published_story() -> None:
    model = headway.load(data(FOLDER, "stories260K.bin"))
    (told,) = model.generate_details([""], max_new_tokens=200, temperature=0.0)
    assert len(told.ids) == 200
    assert told.text == STORY
    assert model.generate([""], max_new_tokens=200) == [told.text]


def test_the_released_vocabulary() -> None:
    tok = Tokenizer.load(data(FOLDER, "tok512.bin"))
    assert len(tok) == 512 and tok.special == {"unk": "<unk>", "bos": "<s>", "eos": "</s>"}
    e = tok.encode("Once upon a time, 東!")
    assert tok.decode(e.ids) == "Once upon a time, 東!"
    assert e.tokens[:3] == ["<s>", "\u2581Once", "\u2581upon"]
    assert "<0xE6>" in e.tokens


def small(**more: Any) -> Any:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32,
        "rms_norm_eps": 1e-5,
    }
    model = LlamaForCausalLM(LlamaConfig(**{**sizes, **more}))
    stir(model)
    return model.eval()


def halves_beside(weight: Any, heads: int) -> Any:
    """Rotary pairs as export.py has them: Meta's order, not the reference's."""
    rows, columns = weight.shape
    pairs = weight.reshape(heads, 2, rows // heads // 2, columns).transpose(1, 2)
    return pairs.reshape(rows, columns)


def export(theirs: Any, path: Path, version: int, group: int = 16) -> Path:
    """As export.py writes the three versions."""
    c, state = theirs.config, theirs.state_dict()
    layers = [
        {
            key.split(f"layers.{n}.")[1]: value
            for key, value in state.items()
            if f"layers.{n}." in key
        }
        for n in range(c.num_hidden_layers)
    ]

    def each(name: str) -> list[Any]:
        return [layer[f"{name}.weight"] for layer in layers]

    queries = [halves_beside(w, c.num_attention_heads) for w in each("self_attn.q_proj")]
    keys = [halves_beside(w, c.num_key_value_heads) for w in each("self_attn.k_proj")]
    attention = [*queries, *keys, *each("self_attn.v_proj"), *each("self_attn.o_proj")]
    feedforward = [*each("mlp.gate_proj"), *each("mlp.down_proj"), *each("mlp.up_proj")]
    norms = [*each("input_layernorm"), *each("post_attention_layernorm")]
    last, words = state["model.norm.weight"], state["model.embed_tokens.weight"]
    head = [] if c.tie_word_embeddings else [state["lm_head.weight"]]
    numbers = [
        *(c.hidden_size, c.intermediate_size, c.num_hidden_layers, c.num_attention_heads),
        *(c.num_key_value_heads, c.vocab_size, c.max_position_embeddings),
    ]
    if version == 0:
        numbers[5] *= 1 if c.tie_word_embeddings else -1
        half = c.num_hidden_layers
        turns = torch.zeros(
            2, c.max_position_embeddings, c.hidden_size // c.num_attention_heads // 2
        )
        parts = [words, *norms[:half], *attention, *norms[half:], *feedforward, last, turns, *head]
        body = b"".join(part.numpy().tobytes() for part in parts)
        path.write_bytes(struct.pack("<7i", *numbers) + body)
        return path
    header = struct.pack("<Ii7i?", 0x616B3432, version, *numbers, c.tie_word_embeddings)
    header += struct.pack("<i", group) if version == 2 else b""
    body = b"".join(part.numpy().tobytes() for part in [*norms, last])
    for part in [words, *attention, *feedforward, *head]:
        values = part.numpy()
        if version == 1:
            body += values.tobytes()
        else:
            groups = values.reshape(-1, group)
            scales = np.abs(groups).max(1) / 127.0
            body += np.round(groups / scales[:, None]).astype(np.int8).tobytes()
            body += scales.astype(np.float32).tobytes()
    path.write_bytes(header.ljust(256, b"\0") + body)
    return path


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("tied", [True, False])
def test_every_version(version: int, tied: bool, tmp_path: Path) -> None:
    theirs = small(tie_word_embeddings=tied)
    model = headway.load(export(theirs, tmp_path / "m.bin", version))
    assert model.tokenizer is None and model.checkpoint.config.tied == tied
    ids = [5, 9, 2, 200, 7]
    with torch.no_grad():
        if version == 2:
            for tensor in theirs.state_dict().values():
                if tensor.dim() == 2:
                    groups = tensor.reshape(-1, 16)
                    scale = groups.abs().amax(1, keepdim=True) / 127
                    tensor.copy_(((groups / scale).round() * scale).reshape(tensor.shape))
        wanted = theirs(torch.tensor([ids])).logits[0]
    out = model.forward([ids])
    assert out.logits is not None
    close(out.logits[0], wanted, 1e-4)


def test_files_that_are_no_checkpoint(tmp_path: Path) -> None:
    path = export(small(), tmp_path / "m.bin", 0)
    whole = path.read_bytes()
    cases = {
        "it has 9 bytes": whole[:9],
        "and its header means": whole[:-4],
        "its header says": b"\0" * 4 + whole[4:],
        "is of version 3": struct.pack("<Ii", 0x616B3432, 3) + whole[8:],
    }
    for message, content in cases.items():
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            headway.load(path)
    rng = random.Random(0)
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[rng.randrange(28)] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(InputError):
            headway.load(path)


def test_the_tokenizer_is_sentencepieces(tmp_path: Path) -> None:
    """Written as tokenizer.py writes it, it cuts texts as the model that it was made of."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING),
        model_prefix=str(tmp_path / "s"),
        num_threads=1,
        minloglevel=2,
        hard_vocab_limit=False,
        model_type="bpe",
        byte_fallback=True,
        vocab_size=420,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
    )
    peer = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "s.model"))
    around = {1: "\n<s>\n", 2: "\n</s>\n"}
    tokens = [
        around.get(i, peer.id_to_piece(i)).replace("\u2581", " ").encode()
        for i in range(peer.vocab_size())
    ]
    out = struct.pack("<I", max(map(len, tokens)))
    for i, token in enumerate(tokens):
        out += struct.pack("<fI", peer.get_score(i), len(token)) + token
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(out)
    tok, rng = Tokenizer.load(path), random.Random(0)
    for text in [*set(TRAINING), "a  b ", " ", *(hostile(rng) for _ in range(200))]:
        ids = peer.encode(text)
        assert tok.encode(text, special=False).ids == ids, text
        assert tok.decode(ids, skip_special=False) == peer.decode(ids), text
    tok.save(tmp_path / "saved")
    assert Tokenizer.load(tmp_path / "saved").encode("the dog").ids == tok.encode("the dog").ids
    for end in (0, 3, 7, len(out) // 2, len(out) - 1):
        path.write_bytes(out[:end])
        with pytest.raises(TokenizerError, match=r"tokenizer\.bin"):
            Tokenizer.load(path)
