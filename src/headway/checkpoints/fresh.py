"""A model that starts from nothing: an architecture in its own size or another, and a tokenizer.

The usual way to a small model of a family: its proportions stay (how wide the feed-forward layer is
beside the hidden states, how many dimensions an attention head has), and its size is another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.checkpoints.checkpoint import Checkpoint
from headway.checkpoints.generation import Generation
from headway.core.initial import initialise
from headway.core.stacks import Body, EncoderDecoder
from headway.errors import ConfigError, nearest
from headway.families import FAMILIES, Family, family_for
from headway.tokenizer import Tokenizer

__all__ = ["STARTABLE", "Shape", "forget", "fresh_checkpoint", "fresh_values"]

WRITES = ("fill-mask", "text-generation", "text2text-generation")

STARTABLE = tuple(
    name for name, family in FAMILIES.items() if any(task in family.HEADS for task in WRITES)
)
"""`model_type` of families that learn from raw text."""


@dataclass(frozen=True)
class Shape:
    """How large a model is.

    Attributes:
        layers: blocks of each stack.
        hidden: size of a hidden state.
        heads: attention heads a block; None = as many as the family has for such a size.
        inner: size inside the feed-forward layer; None = the family's proportion.
        positions: longest text, where the family has a table of them.
    """

    layers: int = 4
    hidden: int = 256
    heads: int | None = None
    inner: int | None = None
    positions: int = 512


def fresh_values(kind: str, shape: Shape) -> dict[str, Any]:
    """What config.json would hold of a model of this family and shape.

    Args:
        kind: `model_type` of the family, one of STARTABLE.
        shape: its size.

    Raises:
        ConfigError: there is no such family, or the heads are none or do not divide the hidden
            size.

    >>> values = fresh_values("bert", Shape(layers=2, hidden=128))
    >>> values["num_attention_heads"], values["intermediate_size"]
    (2, 512)
    """
    if kind not in STARTABLE:
        hint = nearest(kind, STARTABLE)
        raise ConfigError(
            f"family {kind!r} starts no model", allowed=", ".join(STARTABLE), next_step=hint
        )
    family = FAMILIES[kind]
    usual = family.Config()
    hidden = shape.hidden
    head_size = getattr(usual, "head_size", None) or usual.hidden // usual.heads
    heads = max(1, hidden // head_size) if shape.heads is None else shape.heads
    if heads < 1:
        raise ConfigError(f"heads = {heads}", allowed="a whole number, 1 or more")
    if hidden % heads:
        raise ConfigError(
            f"hidden = {hidden} with {heads} heads", allowed="a multiple of the number of heads"
        )
    inner = shape.inner
    if inner is None and (told := getattr(usual, "inner", None)) is not None:
        inner = max(1, round(told * hidden / usual.hidden))
    wanted = {
        "hidden": hidden,
        "layers": shape.layers,
        "heads": heads,
        "inner": inner,
        "decoder_layers": shape.layers,
        "decoder_heads": heads,
        "decoder_inner": inner,
        "positions": shape.positions,
        "embedding": min(hidden, getattr(usual, "embedding", hidden)),
        "model_type": kind,
        "head_size": hidden // heads,
        "kv_heads": heads,
        "tied": True,
    }
    known = {field.name for field in dataclasses.fields(usual)}
    chosen = {name: value for name, value in wanted.items() if name in known}
    values: dict[str, Any] = family.to_hf(dataclasses.replace(usual, **chosen))
    return values | {"model_type": kind}


def fresh_checkpoint(values: Mapping[str, Any], tokenizer: Tokenizer) -> Checkpoint:
    """A body with fresh weights around a tokenizer; it has no head yet.

    The word table gets a row for each token. Which tokens begin, end and fill texts is told by the
    tokenizer.

    Args:
        values: what config.json holds.
        tokenizer: of the texts that it will read.

    Raises:
        CheckpointError: the values are those of no known architecture.

    >>> from headway.tokenizer.training import train_tokenizer
    >>> words = train_tokenizer(iter(["low lower lowest"] * 3), kind="wordpiece", size=20)
    >>> made = fresh_checkpoint(fresh_values("bert", Shape(layers=1, hidden=64)), words)
    >>> made.config.vocabulary == len(words)
    True
    """
    family = family_for(values)
    config = family.from_hf(values)
    config = dataclasses.replace(config, vocabulary=len(tokenizer))
    body = family.build(config)
    _start(family, config, body)
    told = {
        f"{role}_token_id": number
        for role in ("bos", "eos", "pad")
        if (number := tokenizer.special_ids.get(role)) is not None
    }
    ids = {**dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id")), **told}
    start = None
    if isinstance(body, EncoderDecoder):
        start = next((told[f"{role}_token_id"] for role in ("pad", "bos", "eos")
                      if f"{role}_token_id" in told), None)  # fmt: skip
        ids["decoder_start_token_id"] = start
    stop = frozenset([told["eos_token_id"]] if "eos_token_id" in told else [])
    own = {**family.to_hf(config), "model_type": values["model_type"], **ids}
    return Checkpoint(
        family,
        config,
        body,
        tokenizer=tokenizer,
        generation=Generation(start=start, stop=stop, said=own),
        values=own,
        notes=[f"all {sum(p.numel() for p in body.parameters()):,} parameters are new"],
    )


def forget(checkpoint: Checkpoint) -> None:
    """Fills a body with fresh weights, in place of all that it has learned: the same model from
    scratch. Its head is the caller's to replace.

    Args:
        checkpoint: of a family whose weights start at random.
    """
    _start(checkpoint.family, checkpoint.config, checkpoint.body)
    checkpoint.set_aside.clear()
    checkpoint.notes.append("all weights of the body are new")


def _start(family: Family, config: Any, body: Body) -> None:
    """Fresh weights as the family has them."""
    if hasattr(family, "start"):
        family.start(config, body)
    else:
        initialise(body, config.initial_std)
