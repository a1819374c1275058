"""What a pre-training takes of memory and time, told before it is begun, for models of any size.

Parameters are counted on a model that holds no numbers. What blocks keep for the backward pass is
read off two small models, one twice as wide as the other: it grows in a straight line with the
width, be it of more heads or of larger ones. What an optimiser keeps is read off one step of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, UntypedStorage, nn

from headway.checkpoints import HeadPlan
from headway.core.attention_dropout import as_in_calls_of
from headway.core.dropout import at_rate
from headway.core.initial import Undrawn
from headway.core.layout import Layout
from headway.core.stacks import Body, Decoder, Encoder, EncoderDecoder
from headway.errors import ConfigError
from headway.families import Family, family_for
from headway.heads.words import piece_rows
from headway.training.masking import SHARE
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.options import Range, check_ranges, check_sharding, check_word
from headway.training.precision import precision_context
from headway.training.utilisation import PASSES

__all__ = ["Estimate", "Plan", "estimate"]

BYTES = 4
"""Of a weight and of a gradient: both stay in fp32 while products are in bf16."""

HALF = 2
"""Of the copy of a weight that such products are made with."""

FEW, MORE = 1, 4
"""Blocks of the two small models whose difference is what a block keeps; patterns of kinds of
blocks that come back after three are whole in it."""

WINDOW = 256
"""Longest window that is read to see what a pass keeps."""

HEAD = 32
"""Smallest size of a head in the small models."""

PROBE = 256
"""Rows and columns of the matrix that an optimiser's state is read off."""


@dataclass(frozen=True)
class Plan:
    """A pre-training on paper.

    Attributes:
        tokens: to learn from.
        window: tokens of a block.
        batch_tokens: of a step that a device reads at once.
        devices: how many.
        sharding: none or full.
        optimiser: of OPTIMISERS.
        precision: fp32 or bf16.
        dropout: whether numbers are dropped, as the model has it: where texts are read several
            times.
        checkpoint_activations: whether blocks are computed twice.
        fused_attention: whether no attention map is kept, as on a GPU.
        peak_flops: floating-point operations a second of one device, at most.
        utilisation: the share of them that a run reaches.

    Raises:
        ConfigError: a value outside its range.
    """

    tokens: float = 1e9
    window: int = 128
    batch_tokens: int = 8192
    devices: int = 1
    sharding: str = "none"
    optimiser: str = "adamw"
    precision: str = "bf16"
    dropout: bool = False
    checkpoint_activations: bool = False
    fused_attention: bool = False
    peak_flops: float = 4e11
    utilisation: float = 0.4

    def __post_init__(self) -> None:
        ranges = {
            "tokens": Range(0, ends=False),
            "window": Range(8, whole=True),
            "batch_tokens": Range(8, whole=True),
            "devices": Range(1, whole=True),
            "peak_flops": Range(0, ends=False),
            "utilisation": Range(0, 1),
        }
        check_ranges(self, ranges)
        check_word("optimiser", self.optimiser, tuple(OPTIMISERS))
        check_sharding(self.sharding, self.optimiser)
        check_word("precision", self.precision, ("fp32", "bf16"))
        if self.batch_tokens < self.window:
            raise ConfigError(
                f"batch_tokens = {self.batch_tokens}", allowed=f"a window of {self.window} or more"
            )
        if not self.utilisation:
            raise ConfigError("utilisation = 0", allowed="above 0, up to 1")


@dataclass(frozen=True)
class Estimate:
    """What it takes. Memory is in bytes of one device.

    Attributes:
        parameters: of body and head; what both share counts once.
        weights, gradients, optimiser: what they hold; weights with their copies in bf16.
        activations: what blocks keep for the backward pass.
        logits: of the tokens that are told at once, and what they ask.
        flops: of all tokens.
        seconds: of all tokens on all devices.
        tokens_per_second: of all devices.
    """

    parameters: int
    weights: float
    gradients: float
    optimiser: float
    activations: float
    logits: float
    flops: float
    seconds: float
    tokens_per_second: float

    @property
    def memory(self) -> float:
        """All of it."""
        return self.weights + self.gradients + self.optimiser + self.activations + self.logits


def estimate(values: Mapping[str, Any], plan: Plan) -> Estimate:
    """What a pre-training takes.

    Args:
        values: what config.json holds.
        plan: how it is trained.

    Raises:
        CheckpointError: the values are those of no known architecture.
        ConfigError: the architecture does not learn from raw text, or reads no such windows.

    >>> from headway.checkpoints.fresh import Shape, fresh_values
    >>> small = estimate(fresh_values("bert", Shape()), Plan())
    >>> f"{small.parameters:,}"
    '11,201,594'
    """
    family = family_for(values)
    config = family.from_hf(values)
    task = next((name for name in TOLD if name in family.HEADS), None)
    if task is None:
        raise ConfigError(f"{values['model_type']} learns nothing from raw text")
    longest = family.longest(config)
    if longest is not None and plan.window > longest:
        raise ConfigError(
            f"window = {plan.window}", allowed=f"at most the model's {longest} tokens"
        )
    body, head = _unfilled(family, config, task)
    parameters = sum(p.numel() for p in {id(p): p for part in (body, head)
                                         for p in part.parameters()}.values())  # fmt: skip
    blocks = _blocks(body)
    outside, block = _kept(family, config, plan)
    tokens = plan.batch_tokens
    if plan.checkpoint_activations:  # of a block, its input; of the one that is computed, all
        width = config.hidden * (HALF if plan.precision == "bf16" else BYTES)
        activations = tokens * (outside + blocks * width + 2 * block)
    else:
        activations = tokens * (outside + blocks * block)
    divided = plan.devices if plan.sharding == "full" else 1
    largest = max(sum(p.numel() for p in layer.parameters()) for layer in _layers(body))
    copied = HALF if plan.precision == "bf16" else 0
    if divided > 1:  # one block at a time is whole: its weights, their copies, its gradients
        weights = BYTES * parameters / divided + (2 * BYTES + copied) * largest
    else:
        weights = float((BYTES + copied) * parameters)
    device = "cuda" if plan.fused_attention else "cpu"
    told = min(tokens * TOLD[task], piece_rows(config.vocabulary, device))
    flops = plan.tokens * _flops(body, config, plan.window)
    if plan.checkpoint_activations:
        flops *= (PASSES + 1) / PASSES
    seconds = flops / (plan.peak_flops * plan.utilisation * plan.devices)
    return Estimate(
        parameters,
        weights=weights,
        gradients=BYTES * parameters / divided,
        optimiser=_state(plan.optimiser) * parameters / divided,
        activations=activations,
        logits=LOGIT[plan.precision] * told * config.vocabulary,
        flops=flops,
        seconds=seconds,
        tokens_per_second=plan.tokens / seconds,
    )


TOLD = {"fill-mask": SHARE, "text-generation": 1.0, "text2text-generation": 1.0}
"""Head -> share of the tokens whose logits are made."""

LOGIT = {"fp32": 8, "bf16": 12}
"""Precision of products -> bytes of a logit while it is there: itself and what it asks, in fp32,
and both in bf16."""


def _unfilled(family: Family, config: Any, task: str) -> tuple[Body, nn.Module]:
    """Body and head that hold no numbers."""
    with torch.device("meta"), Undrawn():
        body = family.build(config)
        head = HeadPlan(task, family.HEADS[task]).build(config, body)
    return body, head


def _stacks(body: Body) -> list[Encoder | Decoder]:
    return [body.encoder, body.decoder] if isinstance(body, EncoderDecoder) else [body]


def _layers(body: Body) -> list[nn.Module]:
    return [layer for stack in _stacks(body) for layer in stack.layers]


def _blocks(body: Body) -> int:
    """Of one stack; of two, that of the deeper one, whose pairs are counted."""
    return max(len(stack.layers) for stack in _stacks(body))


def _flops(body: Body, config: Any, window: int) -> float:
    """Operations of learning from one token in a full window."""
    matrices = sum(
        part.weight.numel()
        for layer in _layers(body)
        for part in layer.modules()
        if isinstance(part, nn.Linear)
    )
    states = config.hidden * len(_layers(body))
    return float(PASSES * (2 * matrices + 4 * states * window))


def _kept(family: Family, config: Any, plan: Plan) -> tuple[float, float]:
    """Bytes for the backward pass of each token, outside of blocks and of a block.

    They are a straight line over the width, which two small models give.
    """
    units, narrowed = _narrowed(config)
    found = []
    for width in (1, 2):
        few, more = (
            _bytes(family, _small(config, width / units, narrowed, layers), plan, config.heads)
            for layers in (FEW, MORE)
        )
        block = (more - few) / (MORE - FEW)
        found.append((few - FEW * block, block))
    (outside, block), (wider, wide) = found
    return (
        max(0.0, outside + (units - 1) * (wider - outside)),
        block + (units - 1) * (wide - block),
    )


def _narrowed(config: Any) -> tuple[float, tuple[str, ...]]:
    """How many times as wide a model is as the smallest one like it, and what this has less of.

    The way that leaves least: a single group of heads; queries that are fewer, where many share a
    key; or smaller heads, where there are few. Two share a key at least: for one it is not copied.
    """
    keys = getattr(config, "kv_heads", None) or config.heads
    size = getattr(config, "head_size", None) or config.hidden / config.heads
    ways = {
        ("heads", "decoder_heads", "kv_heads"): float(keys),
        ("heads",): config.heads / (2 * keys),
        ("head_size",): size / HEAD,
    }
    narrowed = max(ways, key=ways.__getitem__)
    return max(1.0, ways[narrowed]), narrowed


def _small(config: Any, share: float, narrowed: tuple[str, ...], layers: int) -> Any:
    """A config with this share of the widths and of what is named, and so many blocks in each
    stack."""
    fields = {field.name for field in dataclasses.fields(config)}
    wanted = _depth(config, layers) | {"vocabulary": 64, "decoder_vocabulary": None}
    for name in ("hidden", "inner", "decoder_inner", "embedding", *narrowed):
        if getattr(config, name, None) is not None:
            wanted[name] = max(1, round(getattr(config, name) * share))
    given = {name: value for name, value in wanted.items() if name in fields}
    return dataclasses.replace(config, **given)


def _depth(config: Any, layers: int) -> dict[str, Any]:
    """The same with so many blocks in each stack."""
    fields = {field.name for field in dataclasses.fields(config)}
    found: dict[str, Any] = {"layers": layers, "decoder_layers": layers, "groups": 1, "blocks": 1}
    kinds = getattr(config, "kinds", None)
    if kinds is not None:
        found["kinds"] = tuple(kinds)[:layers]
    return {name: value for name, value in found.items() if name in fields}


def _bytes(family: Family, config: Any, plan: Plan, heads: int) -> float:
    """What a pass through a body keeps for its gradients, of a token.

    In long windows it is a straight line over their length, which two shorter ones give. Maps with
    dropout are kept, or made again, as in the model with so many heads.
    """
    longest = family.longest(config)
    probe = WINDOW if longest is None else min(WINDOW, longest)
    with Undrawn():
        body = family.build(config).train()
    maps = plan.batch_tokens * plan.window * heads
    with at_rate(body, None if plan.dropout else 0.0), as_in_calls_of(maps):
        if plan.window <= probe and not plan.fused_attention:
            return _slope(body, plan.window, plan.precision)
        short, long = (_slope(body, window, plan.precision) for window in (probe // 2, probe))
    growth = max(0.0, long - short) / (probe - probe // 2)  # of attention maps
    return long + ((0 if plan.fused_attention else plan.window) - probe) * growth


def _slope(body: Body, window: int, precision: str) -> float:
    """Bytes that one token more in windows of this length asks for."""
    own = {p.untyped_storage().data_ptr() for p in body.parameters()}
    kept: dict[int, UntypedStorage] = {}

    def note(tensor: Tensor) -> None:
        """The storage is held, so that its place is not taken by another.

        Tensors are not, by the graph neither: one that keeps its own output is a ring that nothing
        frees. No gradient is asked for.
        """
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage

    def run(windows: int) -> int:
        kept.clear()
        ids, layout = torch.zeros(windows * window, dtype=torch.int64), Layout((window,) * windows)
        with (
            torch.random.fork_rng([]),
            precision_context(precision, ids.device),
            torch.autograd.graph.saved_tensors_hooks(note, lambda nothing: nothing),
        ):
            if isinstance(body, EncoderDecoder):
                body(ids, layout, target=ids, target_layout=layout)
            else:
                body(ids, layout)
        return sum(storage.nbytes() for storage in kept.values())

    # What does not grow with the tokens, such as weights in bf16, is no activation.
    return (run(4) - run(2)) / (2 * window)


def _state(optimiser: str) -> float:
    """Bytes that an optimiser keeps of each parameter."""
    matrix = nn.Parameter(torch.zeros(PROBE, PROBE))
    made = OPTIMISERS[optimiser].over(parameter_groups([(1e-3, [matrix])], weight_decay=0.0))
    matrix.grad = torch.ones_like(matrix)
    made.step()
    values = [value for state in made.state.values() for value in state.values()]
    held = sum(value.nbytes for value in values if isinstance(value, Tensor))
    return held / matrix.numel()
