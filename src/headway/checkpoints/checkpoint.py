"""A model's parts as they lie in a folder: reading them strictly, writing them all at once."""

from __future__ import annotations

import copy
import dataclasses
import fnmatch
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headway.checkpoints.assign import Mismatch, assign, same_values, tensors_of
from headway.checkpoints.bottlenecks import marked, read_width, unmarked
from headway.checkpoints.documents import read_object, write_json
from headway.checkpoints.embedding import Embedding, write_embedding
from headway.checkpoints.folders import replaced_folder
from headway.checkpoints.generation import CHAT, GENERATION, Generation
from headway.checkpoints.heads import KINDS, HeadPlan, architecture, plan_head
from headway.checkpoints.preprocessor import FILES as IMAGE_FILES
from headway.checkpoints.preprocessor import usual_preprocessing, write_preprocessing
from headway.checkpoints.scope import scope_values
from headway.checkpoints.source import Source
from headway.checkpoints.sources import CONFIG, source_of
from headway.checkpoints.speakers import read_speakers
from headway.checkpoints.tensors import STALE_WEIGHTS, WEIGHTS, write_tensors
from headway.core.bottleneck import adapted_rows, put_bottlenecks
from headway.core.fields import GENERIC
from headway.core.initial import Undrawn, initialise
from headway.core.names import Row, matches_any, prefixed
from headway.core.stacks import Body, Encoder
from headway.core.vision import Vision
from headway.errors import CheckpointError, ConfigError
from headway.families import Family, class_name, family_for, task_of
from headway.families.encoder_decoder import Joined
from headway.heads import CHOICE
from headway.images import Preprocessing
from headway.tokenizer import Tokenizer

__all__ = [
    "Checkpoint",
    "is_model_folder",
    "load_checkpoint",
    "saved_checkpoint",
    "stored_tensors",
    "write_description",
]

DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)

STALE = (
    *STALE_WEIGHTS,
    *(CONFIG, GENERATION, CHAT, "modules.json", "1_Pooling", "2_Normalize"),
    *("config_sentence_transformers.json", "sentence_bert_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt"),
    *IMAGE_FILES,
    *("spiece.model", "spm.model", "*.bpe.model", "tokenizer.model"),
)
"""Patterns of the files that describe a model: those of an older save go when a new one comes."""

ABOUT_THE_HEAD = ("headway", "id2label", "label2id", "problem_type", "finetuning_task")
ABOUT_THE_FILE = ("transformers_version", "dtype", "torch_dtype", "_name_or_path", "auto_map")
"""Keys of config.json that are not carried over from the one that was read."""


@dataclass
class Checkpoint:
    """A model, in parts.

    Attributes:
        family: what in `families` builds it.
        config: the family's config.
        body: everything but the head.
        head: logits from hidden states, or None.
        plan: how the head is built and stored; None without a head.
        vision: the tower that reads images, where the family has one; else None.
        preprocessing: what is done with an image before; None without that tower.
        tokenizer: of the folder, or None.
        embedding: how a text's vector is made.
        generation: how text is written.
        speakers: whether it was trained with dialogues whose tokens carry the vector of who speaks:
            segments that are words.
        values: config.json as read; what says nothing about the architecture is kept when saving.
        fresh: names of the body's parameters that do not know all that they stand for before they
            are trained: new cross-attention, and word tables whose new tokens are all alike.
        set_aside: tensors that the ecosystem counts to the body and no computation here reads
            (poolers); written back when the body is saved without a family's head.
        notes: what was left out or made anew, for people.
    """

    family: Family
    config: Any
    body: Body
    head: nn.Module | None = None
    plan: HeadPlan | None = None
    vision: Vision | None = None
    preprocessing: Preprocessing | None = None
    tokenizer: Tokenizer | None = None
    embedding: Embedding = field(default_factory=Embedding)
    generation: Generation = field(default_factory=Generation)
    speakers: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    set_aside: dict[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def rows(self, what: str = "text") -> int:
        """How many words a text can have, or a "target", whose words can be others."""
        other = getattr(self.config, "decoder_vocabulary", None) if what == "target" else None
        return self.config.vocabulary if other is None else other

    def put_head(self, plan: HeadPlan | None) -> str:
        """Takes the head off and puts a fresh one on, or none; returns what is new in `notes`."""
        said = [] if self.plan is None else [f"took off the {self.plan}"]
        self.head, self.plan = None, plan
        if isinstance(self.body, Encoder):
            self.body.global_tokens = self.body.usual_global_tokens  # a head may want others
        if plan is not None:
            head = plan.build(self.config, self.body)
            initialise(head, self.config.initial_std, shared_with=self.body)
            self.head = head.to(next(self.body.parameters()))
            shared = {id(parameter) for parameter in self.body.parameters()}
            fresh = sum(p.numel() for p in head.parameters() if id(p) not in shared)
            said.append(f"put on a new {plan}: {fresh:,} parameters to be trained")
        self.notes += [", ".join(said)] if said else []
        return ", ".join(said)

    def __deepcopy__(self, memo: dict[int, Any]) -> Checkpoint:
        memo[id(self.family)] = self.family  # a module of code, which has no copies
        parts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Checkpoint(**copy.deepcopy(parts, memo))


def load_checkpoint(
    place: Path | Source, *, keep_head: bool = True, dtype: torch.dtype = torch.float32
) -> Checkpoint:
    """Reads a model; every tensor is accounted for.

    Args:
        place: a folder with config.json, or with what BERT's and ALBERT's first releases had in its
            place, and weights; or a file of one of FILES; or what a reader of such files gives.
        keep_head: whether the head that the folder carries is wanted.
        dtype: of the parameters, whatever they are stored in.

    Raises:
        CheckpointError: config, weights and vocabulary cannot be read or do not fit together.
        ConfigError: the dtype is not one of numbers with fractions, or a package that reads the
            weights is not installed.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"dtype {dtype}", allowed=", ".join(map(str, DTYPES)))
    source = place if isinstance(place, Source) else source_of(place)
    values = unmarked(source.values)
    family = family_for(values)
    config = family.from_hf(values)
    adapters = read_width(source.values, config.hidden)
    tokenizer = _fitting(source.tokenizer(), config.vocabulary, source.place)
    plan = plan_head(family, values) if keep_head else None
    with torch.device("meta"), Undrawn():
        body = family.build(config)
        if adapters is not None:
            put_bottlenecks(body, adapters)
        head = plan.build(config, body) if plan is not None else None
        vision = family.build_vision(config) if hasattr(family, "build_vision") else None
    whole = _whole(body, head, vision).to(dtype)
    left = _fill(whole, family, plan, values, source.tensors(), source.place)
    inside = "encoder." if isinstance(family, Joined) else family.PREFIX
    inner = {name for name in left if inside and name.startswith(inside)}
    left_over = sorted(left.keys() - inner)
    notes = [*source.notes, *_notes(values, plan, left_over, keep_head=keep_head)]
    return Checkpoint(
        family=family,
        config=config,
        body=body,
        head=head,
        plan=plan,
        vision=vision,
        preprocessing=vision and (source.images() or usual_preprocessing(vision)),
        tokenizer=tokenizer,
        embedding=source.embedding,
        generation=source.generation,
        speakers=read_speakers(values, body),
        values=values,
        set_aside={name: left[name] for name in inner},
        notes=notes,
    )


def is_model_folder(folder: Path) -> bool:
    """Whether a folder has a config.json with a `model_type`: what a new model may replace."""
    try:
        return "model_type" in read_object(folder / CONFIG)
    except CheckpointError:
        return False


@contextmanager
def saved_checkpoint(
    checkpoint: Checkpoint,
    folder: Path,
    *,
    stale: Collection[str] = (),
    ours: Callable[[Path], bool] = is_model_folder,
    dtype: torch.dtype | None = None,
) -> Iterator[Path]:
    """Writes config.json, model.safetensors and the tokenizer, all at once.

    Yields the new folder before it takes its place, so that more files can be part of the whole.

    Args:
        checkpoint: the parts.
        folder: where to; new, empty, or an older save. Files there that are nobody's are kept.
        stale: patterns of further files of an older save that do not outlive it.
        ours: whether a folder with files in it may be written into.
        dtype: of the weights in the file; None = as they are.

    Raises:
        OutputError: the folder cannot be written, or holds something that is not ours.
    """
    gone = (*STALE, *stale)
    with replaced_folder(
        folder,
        marker=CONFIG,
        ours=ours,
        replaced=lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in gone),
    ) as new:
        values, tensors = _config_values(checkpoint), stored_tensors(checkpoint)
        if dtype is not None:
            values["dtype"] = str(dtype).removeprefix("torch.")
            tensors = {
                name: tensor.to(dtype) if tensor.is_floating_point() else tensor
                for name, tensor in tensors.items()
            }
        write_json(new / CONFIG, marked(values, checkpoint.body))
        _write_beside(checkpoint, new)
        write_tensors(tensors, new / WEIGHTS)
        yield new


def write_description(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes config.json, the tokenizer and whatever else a model has beside its weights.

    Of adapters config.json says nothing: this is for formats that hold computations, these too.
    """
    write_json(folder / CONFIG, _config_values(checkpoint))
    _write_beside(checkpoint, folder)


def _write_beside(checkpoint: Checkpoint, folder: Path) -> None:
    if checkpoint.generation.stored:
        write_json(folder / GENERATION, checkpoint.generation.stored)
    if checkpoint.generation.chat is not None and checkpoint.generation.chat_file:
        (folder / CHAT).write_text(checkpoint.generation.chat, encoding="utf-8")
    if checkpoint.tokenizer is not None:
        checkpoint.tokenizer.save(folder)
    if checkpoint.preprocessing is not None:
        write_preprocessing(checkpoint.preprocessing, folder)
    if checkpoint.embedding.declared:
        write_embedding(checkpoint.embedding, checkpoint.config.hidden, folder)


def _whole(body: Body, head: nn.Module | None, vision: Vision | None) -> nn.ModuleDict:
    parts = {"body": body, "head": head, "vision": vision}
    return nn.ModuleDict({name: part for name, part in parts.items() if part is not None})


def _rows(family: Family, plan: HeadPlan | None, prefix: str) -> list[Row]:
    """The name table of body, head and image tower together."""
    rows = prefixed(adapted_rows(family.NAMES), "body.", prefix)
    rows += prefixed(getattr(family, "VISION_NAMES", ()), "vision.", "")
    return rows if plan is None else rows + prefixed(plan.spec.names, "head.", "")


def _fill(
    whole: nn.ModuleDict,
    family: Family,
    plan: HeadPlan | None,
    values: Mapping[str, Any],
    found: Mapping[str, Tensor],
    source: str,
) -> dict[str, Tensor]:
    """Puts the tensors in their places; gives back those of parts that are not in `whole`.

    Those are named as they stand beside a body with the family's prefix.
    """
    mismatch = Mismatch()
    prefix = family.PREFIX if any(name.startswith(family.PREFIX) for name in found) else ""
    tensors, stand_ins = dict(found), {}
    for lacking, spare, *unless in family.SPARES:
        if lacking not in tensors and spare in tensors:
            if not any(values.get(key) == value for key, value in unless):
                tensors[lacking], stand_ins[lacking] = tensors[spare], spare
        elif _is_torn(lacking, spare, tensors, family.IGNORED):
            mismatch.torn[spare] = lacking
    used = assign(whole, _rows(family, plan, prefix), tensors, mismatch)
    used |= {spare for lacking, spare in stand_ins.items() if lacking in used}
    left = {}
    for name in sorted(found.keys() - used):
        if matches_any(name, family.IGNORED):
            continue
        if matches_any(name, (*family.OTHER_HEADS, "head.*", str(CHOICE[1]))):
            beside = family.PREFIX + name
            inner = not prefix and matches_any(beside, family.OTHER_HEADS)
            left[beside if inner else name] = found[name]
        else:
            mismatch.unexpected[name] = tuple(found[name].shape)
    mismatch.raise_if_any(source)
    return left


def _is_torn(name: str, again: str, tensors: Mapping[str, Tensor], ignored: Iterable[str]) -> bool:
    """Whether what is ignored as a copy of a tensor is none."""
    if name not in tensors or again not in tensors or not matches_any(again, ignored):
        return False
    return not same_values(tensors[name], tensors[again])


def _notes(
    values: Mapping[str, Any], plan: HeadPlan | None, left: list[str], *, keep_head: bool
) -> list[str]:
    """What is said of tensors that were not loaded."""
    if not left:
        return []
    shown = ", ".join(left[:6]) + (f" and {len(left) - 6} more" if len(left) > 6 else "")
    if keep_head and plan is None:
        return [f"left out {shown}: no head here is that of {architecture(values) or 'the config'}"]
    return [f"left out {shown}, which belong to {'other heads' if keep_head else 'the head'}"]


def stored_tensors(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """What model.safetensors holds. A body alone, or under a head of ours, has no prefix."""
    family, plan = checkpoint.family, checkpoint.plan
    prefix = family.PREFIX if plan is not None and plan.stored is None else ""
    whole = _whole(checkpoint.body, checkpoint.head, checkpoint.vision)
    apart = ("body.decoder.",) if isinstance(family, Joined) else ()
    tensors = tensors_of(whole, _rows(family, plan, prefix), apart=apart)
    if not prefix:
        dtype = next(checkpoint.body.parameters()).dtype
        for name, tensor in checkpoint.set_aside.items():
            tensors[name.removeprefix(family.PREFIX)] = tensor.to(dtype)
    return tensors


def _config_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """What config.json holds."""
    dropped = {*ABOUT_THE_HEAD, *ABOUT_THE_FILE}
    kept = {key: checkpoint.values[key] for key in checkpoint.values.keys() & GENERIC - dropped}
    values = {**kept, **checkpoint.family.to_hf(checkpoint.config)}
    values["dtype"] = str(next(checkpoint.body.parameters()).dtype).removeprefix("torch.")
    plan = checkpoint.plan
    task = plan.task if plan is not None and plan.stored is None else None
    named = class_name(values["model_type"], task, checkpoint.family)
    # The ecosystem has no class for the body of two joined stacks alone.
    told = task_of(values["model_type"], named, checkpoint.family) == task
    values["architectures"] = [named] if told else []
    if plan is not None:
        values |= _head_values(plan)
    if checkpoint.speakers:
        values["headway"] = {**values.get("headway", {}), "speakers": True}
    return dict(sorted(values.items()))


def _head_values(plan: HeadPlan) -> dict[str, Any]:
    """What config.json says of the head, beside the class's name."""
    values: dict[str, Any] = {}
    if plan.stored is not None:
        values["headway"] = {"task": plan.task, "head": dict(plan.stored)}
    if plan.choice:
        values["headway"] = {"choice": True}
    if plan.labels:
        values["id2label"] = {str(n): label for n, label in enumerate(plan.labels)}
        values["label2id"] = {label: n for n, label in enumerate(plan.labels)}
    if plan.labels and plan.kind in KINDS:
        values["problem_type"] = KINDS[plan.kind]
    elif plan.kind:
        values["headway"] = {**values.get("headway", {}), "kind": plan.kind}
    if scope := scope_values(plan.scope):
        values["headway"] = {**values.get("headway", {}), **scope}
    return values


def _fitting(tokenizer: Tokenizer | None, rows: int, place: str) -> Tokenizer | None:
    """The tokenizer, if there is one, checked against the embedding table."""
    largest = max(tokenizer.vocabulary.values(), default=0) if tokenizer is not None else 0
    if largest >= rows:
        raise CheckpointError(
            f"{place}: the tokenizer's ids go up to {largest}, the embedding has {rows} rows",
            allowed=f"ids below {rows}",
            next_step="use the tokenizer that the model was trained with",
        )
    return tokenizer
