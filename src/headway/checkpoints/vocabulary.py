"""A checkpoint with more tokens: its tokenizer and its word tables grow together.

A new special token starts as the mean of all words, which no output prefers or avoids: a random row
would be far from every hidden state, and a fine model would begin by being wrong about it (Hewitt
2021, "Initializing new word embeddings for pretrained language models"). A new word starts as the
mean of the pieces that it was cut into (Gee et al. 2022, "Fast Vocabulary Transfer for Language
Model Compression").
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from headway.checkpoints.bottlenecks import with_adapters_of
from headway.checkpoints.checkpoint import Checkpoint
from headway.errors import ConfigError
from headway.tokenizer import Tokenizer
from headway.tokenizer.inside import cut_inside, own_pieces

__all__ = ["with_tokens", "with_words"]


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
    old = _tokenizer(checkpoint)
    tokenizer = old.with_tokens(tokens)
    fresh = {tokenizer.vocabulary[one]: () for one in tokens if one not in old.vocabulary}
    made = _with_rows(checkpoint, tokenizer, fresh)
    if fresh:
        made.fresh |= {
            f"{place}.weight"
            for place, part in made.body.named_modules()
            if isinstance(part, nn.Embedding) and place.endswith("words")
        }
        made.notes.append(
            f"{len(fresh)} new tokens start as the mean of all words: {', '.join(tokens)}"
        )
    return made


def with_words(checkpoint: Checkpoint, words: Sequence[str]) -> Checkpoint:
    """The checkpoint with words as tokens of their own, where they stand alone in a text.

    Tables and biases of the vocabulary get rows for them, each the mean of the rows of its pieces,
    or of all words where it had none; a table that input and output share stays one. Words that
    are one token already change nothing.

    Args:
        checkpoint: with a tokenizer. The new one shares all other weights with it.
        words: none of them empty, each once.

    Raises:
        ConfigError: there is no tokenizer, or targets have other words than texts.
        TokenizerError: words that cannot be.
    """
    old = _tokenizer(checkpoint)
    unknown = old.special_ids.get("unk")
    new = {
        word: tuple(id for id in own_pieces(cut) if id != unknown)
        for word, cut in zip(words, cut_inside(old, words), strict=True)
        if word not in old.vocabulary and (len(cut) != 1 or cut.ids[0] == unknown)
    }
    tokenizer = old.with_words([word for word in words if word in new])
    made = _with_rows(
        checkpoint, tokenizer, {tokenizer.vocabulary[word]: ids for word, ids in new.items()}
    )
    said = f"{len(new)} words are tokens of their own now, and start as the mean of their pieces"
    if known := len(words) - len(new):
        said += f"; {known} were one token already"
    made.notes.append(said)
    return made


def _tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    if checkpoint.tokenizer is None:
        raise ConfigError(
            "a checkpoint without a tokenizer has no tokens to add to",
            next_step="put its tokenizer.json in the model's folder",
        )
    if checkpoint.rows("target") != checkpoint.rows():
        raise ConfigError("targets have other words than texts", allowed="one vocabulary for both")
    return checkpoint.tokenizer


def _with_rows(
    checkpoint: Checkpoint, tokenizer: Tokenizer, fresh: Mapping[int, Sequence[int]]
) -> Checkpoint:
    """The checkpoint with another tokenizer, and rows for its new tokens.

    Args:
        checkpoint: it stays as it is.
        tokenizer: with more tokens.
        fresh: number of a new one -> the tokens whose mean it starts as; () = all.
    """
    made = dataclasses.replace(checkpoint, tokenizer=tokenizer, notes=[*checkpoint.notes])
    if not fresh:
        return made
    rows = max(checkpoint.rows(), max(fresh) + 1)
    made.config = _config(checkpoint.config, rows)
    with torch.device("meta"):
        made.body = checkpoint.family.build(made.config)
        with_adapters_of(made.body, checkpoint.body)
        if checkpoint.plan is not None:
            made.head = checkpoint.plan.build(made.config, made.body)
    _fill(_whole(made), _whole(checkpoint), fresh, checkpoint.rows())
    made.body.train(checkpoint.body.training)
    if made.head is not None and checkpoint.head is not None:
        made.head.train(checkpoint.head.training)
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


def _fill(
    new: nn.ModuleDict, old: nn.ModuleDict, fresh: Mapping[int, Sequence[int]], rows: int
) -> None:
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


def _grown(
    source: nn.Parameter, size: int, fresh: Mapping[int, Sequence[int]], rows: int
) -> nn.Parameter:
    """A table or bias of the vocabulary with means in the rows of the new tokens."""
    with torch.no_grad():
        used = source[: min(min(fresh), rows)].float()
        mean = used.mean(dim=0)
        made = mean.to(source.dtype).expand(size, *source.shape[1:]).clone()
        made[: len(source)] = source
        made[list(fresh)] = _means(used, list(fresh.values()), mean).to(source.dtype)
    return nn.Parameter(made, requires_grad=source.requires_grad)


def _means(used: Tensor, pieces: Sequence[Sequence[int]], mean: Tensor) -> Tensor:
    """The mean of some rows for each new token; the mean of all where there are none."""
    counts = torch.tensor([len(ids) for ids in pieces], device=used.device)
    owners = torch.repeat_interleave(torch.arange(len(pieces), device=used.device), counts)
    flat = torch.tensor([id for ids in pieces for id in ids], device=used.device, dtype=torch.int64)
    sums = used.new_zeros(len(pieces), *used.shape[1:]).index_add(0, owners, used[flat])
    shape = (-1, *[1] * (used.dim() - 1))
    found = sums / counts.clamp(min=1).view(shape)
    return torch.where((counts > 0).view(shape), found, mean)
