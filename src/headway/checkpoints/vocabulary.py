"""A checkpoint with more tokens: its tokenizer and its word tables grow together.

A new token starts as the mean of all words, which no output prefers or avoids: a random row would
be far from every hidden state, and a fine model would begin by being wrong about it (Hewitt 2021,
"Initializing new word embeddings for pretrained language models").
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from headway.checkpoints.checkpoint import Checkpoint
from headway.errors import ConfigError

__all__ = ["with_tokens"]


def with_tokens(checkpoint: Checkpoint, tokens: Sequence[str]) -> Checkpoint:
    """The checkpoint with special tokens that stand for themselves in texts.

    Tables and biases of the vocabulary get rows for them, the mean of the rows that are there; a
    table that input and output share stays one. Rows that a table has beyond the tokenizer's tokens
    are used first. Tokens that are known already change nothing.

    Args:
        checkpoint: with a tokenizer. The new one shares all other weights with it.
        tokens: such as "<speaker1>"; none of them empty, each once.

    Raises:
        ConfigError: there is no tokenizer, or targets have other words than texts.
        TokenizerError: tokens that cannot be.

    >>> from headway.families import gpt2
    >>> from headway.tokenizer import Tokenizer
    >>> config = gpt2.Config(vocabulary=2, hidden=4, layers=1, heads=2, positions=8)
    >>> words = Tokenizer.from_document({"model": {"type": "WordLevel", "unk_token": "a",
    ...                                            "vocab": {"a": 0, "b": 1}}})
    >>> one = Checkpoint(family=gpt2, config=config, body=gpt2.build(config), tokenizer=words)
    >>> more = with_tokens(one, ["<mark>"])
    >>> more.config.vocabulary, more.tokenizer.encode("a<mark>").ids
    (3, [0, 2])
    """
    old = checkpoint.tokenizer
    if old is None:
        raise ConfigError(
            "a checkpoint without a tokenizer has no tokens to add to",
            next_step="put its tokenizer.json in the model's folder",
        )
    if checkpoint.rows("target") != checkpoint.rows():
        raise ConfigError("targets have other words than texts", allowed="one vocabulary for both")
    tokenizer = old.with_tokens(tokens)
    fresh = [tokenizer.vocabulary[one] for one in tokens if one not in old.vocabulary]
    made = dataclasses.replace(checkpoint, tokenizer=tokenizer, notes=[*checkpoint.notes])
    if not fresh:
        return made
    rows = max(checkpoint.rows(), max(fresh) + 1)
    made.config = _config(checkpoint.config, rows)
    with torch.device("meta"):
        made.body = checkpoint.family.build(made.config)
        if checkpoint.plan is not None:
            made.head = checkpoint.plan.build(made.config, made.body)
    _fill(_whole(made), _whole(checkpoint), fresh, checkpoint.rows())
    made.body.train(checkpoint.body.training)
    if made.head is not None and checkpoint.head is not None:
        made.head.train(checkpoint.head.training)
    made.notes.append(
        f"{len(fresh)} new tokens start as the mean of all words: {', '.join(tokens)}"
    )
    return made


def _config(config: Any, rows: int) -> Any:
    """The same with so many rows in each word table."""
    if hasattr(config, "encoder") and hasattr(config, "decoder"):  # two stacks joined
        return dataclasses.replace(
            config, encoder=_config(config.encoder, rows), decoder=_config(config.decoder, rows)
        )
    names = ("vocabulary", "decoder_vocabulary")
    return dataclasses.replace(
        config, **{name: rows for name in names if getattr(config, name, None) is not None}
    )


def _whole(checkpoint: Checkpoint) -> nn.ModuleDict:
    parts: dict[str, nn.Module] = {"body": checkpoint.body}
    return nn.ModuleDict(parts if checkpoint.head is None else {**parts, "head": checkpoint.head})


def _fill(new: nn.ModuleDict, old: nn.ModuleDict, fresh: Sequence[int], rows: int) -> None:
    """Puts the old parameters in their places, those of the vocabulary with the new rows."""
    wide = {
        name
        for name, parameter in new.named_parameters(remove_duplicate=False)
        if parameter.shape != old.get_parameter(name).shape
    } | _vocabulary_names(old, rows)
    placed: dict[int, nn.Parameter] = {}
    for name, blank in list(new.named_parameters(remove_duplicate=False)):
        source = old.get_parameter(name)
        if id(blank) not in placed:
            placed[id(blank)] = _grown(source, len(blank), fresh, rows) if name in wide else source
        place, _, leaf = name.rpartition(".")
        setattr(new.get_submodule(place), leaf, placed[id(blank)])
    for name, buffer in list(old.named_buffers()):
        place, _, leaf = name.rpartition(".")
        setattr(new.get_submodule(place), leaf, buffer)


def _vocabulary_names(old: nn.ModuleDict, rows: int) -> set[str]:
    """Word tables and what maps back to words, also where their size stays."""
    found = set()
    for place, part in old.named_modules():
        table = isinstance(part, nn.Embedding) and place.endswith("words")
        output = isinstance(part, nn.Linear) and place == "head.output"
        if (table or output) and part.weight.shape[0] == rows:
            found |= {f"{place}.{leaf}" for leaf, _ in part.named_parameters(recurse=False)}
    return found


def _grown(source: nn.Parameter, size: int, fresh: Sequence[int], rows: int) -> nn.Parameter:
    """A table or bias of the vocabulary with the mean in the rows of the new tokens."""
    with torch.no_grad():
        used = source[: min(min(fresh), rows)]
        mean = used.float().mean(dim=0).to(source.dtype)
        made = mean.expand(size, *source.shape[1:]).clone()
        made[: len(source)] = source
        made[list(fresh)] = mean
    return nn.Parameter(made, requires_grad=source.requires_grad)
