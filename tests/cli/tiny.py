"""A model that adapts in a second, and rows with a pattern to be learned, as files."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from headway.checkpoints import Checkpoint
from headway.core.initial import initialise
from headway.families import family_of
from headway.model import Model

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SIGNS = {"late": "delivery", "broken": "quality", "thanks": "praise"}
"""The word that decides -> the label."""

WORDS = [f"word{n}" for n in range(1000 - len(SPECIAL) - len(SIGNS))]
LONGEST = 64

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "vocab_size": 1000,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": LONGEST,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}


def write_model(folder: Path) -> Path:
    """A random BERT: config.json, model.safetensors and vocab.txt."""
    family = family_of("bert")
    config = family.from_hf(CONFIG)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        body = family.build(config)
        initialise(body, 0.2)
    Model(Checkpoint(family, config, body, values=dict(CONFIG))).save(folder)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *SIGNS, *WORDS]) + "\n")
    return folder


def rows(count: int, *, seed: int = 0, labels: int = 3) -> list[dict[str, str]]:
    """Texts of random words, one of which decides the label."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        sign, label = list(SIGNS.items())[number % labels]
        words = [*draw.choices(WORDS[:40], k=draw.randint(3, 9)), sign]
        draw.shuffle(words)
        made.append({"text": " ".join(words), "label": label})
    return made


def write_csv(path: Path, made: Sequence[dict[str, Any]]) -> Path:
    """Rows as a file."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(made[0]))
        writer.writeheader()
        writer.writerows(made)
    return path


def write_jsonl(path: Path, made: Sequence[dict[str, Any]]) -> Path:
    """Rows as a file whose values keep their types."""
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path
