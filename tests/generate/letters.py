"""A tokenizer that writes any bytes, and a model with its tokens."""

from __future__ import annotations

import torch
from training.tiny import FAMILIES, SIZES

from headway.checkpoints import Checkpoint, HeadPlan
from headway.core.initial import initialise
from headway.model import Model
from headway.tokenizer import Tokenizer
from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS

PAIRS = ["ab", "ba", ".a", "aa", "an", "tr", "ru", "ue", "fa", "al", "se", "no", "ye", "es"]
END = 256 + len(PAIRS)


def letters_tokenizer() -> Tokenizer:
    """The 256 bytes, some pairs of letters, and an end token."""
    names = [*BYTE_CHARACTERS, *PAIRS]
    return Tokenizer.from_document(
        {
            "added_tokens": [
                {
                    "id": END,
                    "content": "</s>",
                    "special": True,
                    "single_word": False,
                    "lstrip": False,
                    "rstrip": False,
                    "normalized": False,
                }
            ],
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
            "decoder": {"type": "ByteLevel"},
            "model": {
                "type": "BPE",
                "vocab": {name: number for number, name in enumerate(names)},
                "merges": [[pair[0], pair[1]] for pair in PAIRS],
            },
        }
    )


def letters_model(
    kind: str = "llama", *, seed: int = 0, layers: int = 1, std: float = 1.0
) -> Model:
    """A random model that writes letters; its words are likely to differ from step to step."""
    tokenizer, family = letters_tokenizer(), FAMILIES[kind]
    sizes = {**SIZES[kind], **({"positions": 400} if "positions" in SIZES[kind] else {})}
    config = family.Config(
        vocabulary=len(tokenizer.vocabulary), hidden=16, layers=layers, heads=2, inner=32, **sizes
    )
    task = "text2text-generation" if kind == "t5" else "text-generation"
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        body = family.build(config)
        initialise(body, std)
        parts = Checkpoint(family, config, body, tokenizer=tokenizer, values={"model_type": kind})
        model = Model(parts, source=f"letters-{kind}").eval()
        model.put_head(HeadPlan(task, family.HEADS[task]))
    return model
