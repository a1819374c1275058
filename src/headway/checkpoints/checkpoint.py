"""A model's parts as they lie in a folder: reading them strictly, writing them all at once."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from headway.checkpoints.assign import Mismatch, assign, tensors_of
from headway.checkpoints.embedding import Embedding, read_embedding, write_embedding
from headway.checkpoints.folders import replaced_folder
from headway.checkpoints.heads import KINDS, HeadPlan, plan_head
from headway.checkpoints.tensors import WEIGHT_FILES, read_json, read_tensors, write_tensors
from headway.core.fields import GENERIC
from headway.core.names import Row, matches_any, prefixed
from headway.core.stacks import Body
from headway.errors import CheckpointError
from headway.families import class_name, family_of
from headway.tokenizer import Tokenizer

__all__ = ["Checkpoint", "load_checkpoint", "saved_checkpoint"]


@dataclass
class Checkpoint:
    """A model, in parts.

    Attributes:
        family: the module in `families` that builds it.
        config: the family's config.
        body: everything but the head.
        head: logits from hidden states, or None.
        plan: how the head is built and stored; None without a head.
        tokenizer: of the folder, or None.
        embedding: how a text's vector is made.
        values: config.json as read; what says nothing about the architecture is kept when saving.
        set_aside: tensors of heads that were not asked for, written back when saving.
    """

    family: ModuleType
    config: Any
    body: Body
    head: nn.Module | None = None
    plan: HeadPlan | None = None
    tokenizer: Tokenizer | None = None
    embedding: Embedding = field(default_factory=Embedding)
    values: dict[str, Any] = field(default_factory=dict)
    set_aside: dict[str, Tensor] = field(default_factory=dict)


def load_checkpoint(
    folder: Path, *, keep_head: bool = True, dtype: torch.dtype = torch.float32
) -> Checkpoint:
    """Reads a model folder; every tensor is accounted for.

    Args:
        folder: has config.json and weights.
        keep_head: whether the head that the folder carries is wanted.
        dtype: of the parameters.

    Raises:
        CheckpointError: config, weights and vocabulary cannot be read or do not fit together.
    """
    values = read_json(folder / "config.json")
    family = family_of(values.get("model_type"))
    config = family.from_hf(values)
    embedding = read_embedding(folder)
    tokenizer = _tokenizer(folder, config.vocabulary)
    plan = plan_head(family, values) if keep_head else None
    with torch.device("meta"):
        body = family.build(config)
        head = plan.build(config, body) if plan is not None else None
    tensors = read_tensors(folder)
    for lacking, spare in family.SPARES:
        if lacking not in tensors and spare in tensors:
            tensors[lacking] = tensors[spare]
    prefix = family.PREFIX if any(name.startswith(family.PREFIX) for name in tensors) else ""
    whole = _whole(body, head)
    set_aside = _fill(whole, _rows(family, plan, prefix), tensors, family, prefix, folder)
    whole.to(dtype)
    return Checkpoint(family, config, body, head, plan, tokenizer, embedding, values, set_aside)


@contextmanager
def saved_checkpoint(checkpoint: Checkpoint, folder: Path) -> Iterator[Path]:
    """Writes config.json, model.safetensors and the tokenizer, all at once.

    Yields the new folder before it takes its place, so that more files can be part of the whole.

    Raises:
        OutputError: the folder cannot be written, or holds something that is not a model.
    """
    tensors = _tensors(checkpoint)
    text = json.dumps(_config_values(checkpoint), indent=2, ensure_ascii=False)
    with replaced_folder(folder, marker="config.json", replaced=_stands_in) as new:
        (new / "config.json").write_text(text + "\n", encoding="utf-8")
        write_tensors(tensors, new / "model.safetensors")
        if checkpoint.tokenizer is not None:
            checkpoint.tokenizer.save(new)
        if checkpoint.embedding.declared:
            write_embedding(checkpoint.embedding, checkpoint.config.hidden, new)
        yield new


def _whole(body: Body, head: nn.Module | None) -> nn.ModuleDict:
    return nn.ModuleDict({"body": body} if head is None else {"body": body, "head": head})


def _rows(family: ModuleType, plan: HeadPlan | None, prefix: str) -> list[Row]:
    """The name table of body and head together."""
    rows = prefixed(family.NAMES, "body.", prefix)
    return rows if plan is None else rows + prefixed(plan.spec.names, "head.", "")


def _fill(
    whole: nn.ModuleDict,
    rows: list[Row],
    tensors: Mapping[str, Tensor],
    family: ModuleType,
    prefix: str,
    folder: Path,
) -> dict[str, Tensor]:
    """Puts the tensors in their places; gives back those of heads that nobody asked for.

    Those are named as they stand beside a body with the family's prefix.
    """
    mismatch = Mismatch()
    used = assign(whole, rows, tensors, mismatch)
    set_aside = {}
    for name in tensors.keys() - used:
        if matches_any(name, family.IGNORED):
            continue
        if matches_any(name, (*family.OTHER_HEADS, "head.*")):
            beside = family.PREFIX + name
            inner = not prefix and matches_any(beside, family.OTHER_HEADS)
            set_aside[beside if inner else name] = tensors[name]
        else:
            mismatch.unexpected[name] = tuple(tensors[name].shape)
    mismatch.raise_if_any(str(folder))
    return set_aside


def _tensors(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """What model.safetensors holds. A body alone, or under a head of ours, has no prefix."""
    family, plan = checkpoint.family, checkpoint.plan
    prefix = family.PREFIX if plan is not None and plan.stored is None else ""
    whole = _whole(checkpoint.body, checkpoint.head)
    tensors = tensors_of(whole, _rows(family, plan, prefix))
    for name, tensor in checkpoint.set_aside.items():
        if not matches_any(name, ["head.*"]) or plan is None:
            tensors.setdefault(name if prefix else name.removeprefix(family.PREFIX), tensor)
    return tensors


def _config_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """What config.json holds."""
    kept = {key: value for key, value in checkpoint.values.items() if key in GENERIC}
    for key in ("headway", "transformers_version", "torch_dtype", "_name_or_path"):
        kept.pop(key, None)
    values = {**kept, **checkpoint.family.to_hf(checkpoint.config)}
    values["dtype"] = str(next(checkpoint.body.parameters()).dtype).removeprefix("torch.")
    plan = checkpoint.plan
    task = plan.task if plan is not None and plan.stored is None else None
    values["architectures"] = [class_name(values["model_type"], task)]
    if plan is None:
        return values
    if plan.stored is not None:
        values["headway"] = {"task": plan.task, "head": dict(plan.stored)}
    if plan.labels:
        values["id2label"] = {str(n): label for n, label in enumerate(plan.labels)}
        values["label2id"] = {label: n for n, label in enumerate(plan.labels)}
        values["problem_type"] = KINDS[plan.kind]
    return values


def _tokenizer(folder: Path, rows: int) -> Tokenizer | None:
    """The folder's tokenizer, if there is one, checked against the embedding table."""
    names = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
    if not any((folder / name).is_file() for name in (*names, "tokenizer.model")):
        return None
    tokenizer = Tokenizer.load(folder)
    largest = max(tokenizer.vocabulary.values(), default=0)
    if largest >= rows:
        raise CheckpointError(
            f"{folder}: the tokenizer's ids go up to {largest}, the embedding has {rows} rows",
            allowed=f"ids below {rows}",
            next_step="use the tokenizer that the model was trained with",
        )
    return tokenizer


def _stands_in(name: str) -> bool:
    """Whether a file of an older save would be stale beside the new one."""
    patterns = (
        *WEIGHT_FILES,
        "config.json",
        "tokenizer*.json",
        "vocab.*",
        "merges.txt",
        "modules.json",
    )
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
