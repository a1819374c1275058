"""What every family promises, checked against transformers on models of a few thousand parameters.

A family's test makes small random configs of the reference library and runs all of PROMISES:

    @pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
    @pytest.mark.parametrize("seed", SEEDS)
    def test_promise(promise, seed):
        promise(small_case("bert", config, seed))
"""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import torch
import transformers
from torch import Tensor, nn

from headway.checkpoints.assign import Mismatch, assign, tensors_of
from headway.checkpoints.heads import LABELLED
from headway.core.bottleneck import Bottleneck, adapted_rows, put_bottlenecks
from headway.core.cache import Cache
from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.core.names import matches_any, prefixed
from headway.core.stacks import Encoder, EncoderDecoder
from headway.core.taps import record, replace, taps
from headway.errors import ConfigError
from headway.families import FAMILIES, class_name, task_of

SEEDS = range(5)
TOLERANCE = 1e-5
LABELS = 3
WORD_TASKS = {"fill-mask", "text-generation", "text2text-generation"}
"""Tasks of heads over the vocabulary."""

Ids = list[list[int]]


@dataclass
class Case:
    """A small model of the reference library, ours with the same weights, and texts for both.

    Args:
        model_type: key of FAMILIES.
        config: the reference library's config; any that both can have.
        seed: of weights and texts.
        forbidden: ids that texts must not hold (RoBERTa gives the padding id no position).
    """

    model_type: str
    config: Any
    seed: int
    forbidden: tuple[int, ...] = ()

    @property
    def family(self) -> ModuleType:
        return FAMILIES[self.model_type]

    @cached_property
    def ours(self) -> Any:
        """Our config."""
        return self.family.from_hf(self.config.to_dict())

    @cached_property
    def texts(self) -> Ids:
        """Texts of mixed lengths; one has a single token."""
        return self.some_texts((7, 1, 12, 3), self.seed)

    @cached_property
    def targets(self) -> Ids:
        """What a decoder behind an encoder is fed."""
        return self.some_texts((4, 9, 1, 6), self.seed + 1)

    def some_texts(self, lengths: tuple[int, ...], seed: int) -> Ids:
        words = [n for n in range(self.config.vocab_size) if n not in self.forbidden]
        draw = random.Random(seed)
        return [draw.choices(words, k=length) for length in lengths]

    @cached_property
    def theirs(self) -> Any:
        """The reference body."""
        return self.reference(None)

    @cached_property
    def body(self) -> Any:
        """Our body with the reference's weights."""
        return self.twin(self.theirs, None)["body"]

    def reference(self, task: str | None) -> Any:
        """A model of the reference library, with weights that make every term matter."""
        config = copy.deepcopy(self.config)
        config._attn_implementation = "eager"
        if task in LABELLED:
            config.num_labels = LABELS
        torch.manual_seed(self.seed)
        made = getattr(transformers, class_name(self.model_type, task))
        pooling = "add_pooling_layer" in inspect.signature(made).parameters
        model = made(config, add_pooling_layer=False) if pooling else made(config)
        stir(model)
        if task == "fill-mask" and not config.tie_word_embeddings:
            agree_on_bias(model)
        return model.eval()

    def empty(self, task: str | None) -> nn.ModuleDict:
        """Our body and head on the meta device, as a checkpoint is loaded into them."""
        with torch.device("meta"):
            body = self.family.build(self.ours)
            parts = {"body": body}
            if task is not None:
                parts["head"] = self.family.HEADS[task].build(self.ours, body, LABELS)
        return nn.ModuleDict(parts).eval()

    def rows(self, task: str | None) -> list[Any]:
        """The name table of body and head as they lie in a checkpoint with that head."""
        rows = prefixed(self.family.NAMES, "body.", "" if task is None else self.family.PREFIX)
        return rows if task is None else rows + prefixed(self.family.HEADS[task].names, "head.", "")

    def twin(self, theirs: nn.Module, task: str | None) -> nn.ModuleDict:
        """Ours with their weights; every tensor of theirs must be used or known to hold nothing."""
        whole, mismatch = self.empty(task), Mismatch()
        tensors = theirs.state_dict()
        used = assign(whole, self.rows(task), tensors, mismatch)
        mismatch.raise_if_any(self.model_type)
        assert all(matches_any(name, self.family.IGNORED) for name in set(tensors) - used)
        assert not any(parameter.is_meta for parameter in whole.parameters())
        return whole

    def forward(
        self, body: Any, texts: Ids | None = None, targets: Ids | None = None
    ) -> list[Tensor]:
        """Last hidden states, one tensor a text (a target, where there are two stacks)."""
        texts = self.texts if texts is None else texts
        targets = self.targets if targets is None else targets
        layout = Layout.of(texts)
        if isinstance(body, EncoderDecoder):
            seen = Layout.of(targets)
            return seen.split(body(flat(texts), layout, target=flat(targets), target_layout=seen))
        return layout.split(body(flat(texts), layout))

    def their_forward(self, model: Any, number: int, **options: bool) -> Any:
        """The reference's result for one text alone, which no padding can touch."""
        inputs = {"input_ids": torch.tensor([self.texts[number]])}
        if isinstance(self.body, EncoderDecoder):
            inputs["decoder_input_ids"] = torch.tensor([self.targets[number]])
        with torch.no_grad():
            return model(**inputs, **options)

    def their_logits(self, model: Any, task: str, number: int) -> Tensor:
        """The reference's logits of one text alone, in the form of ours."""
        if task == "multiple-choice":
            ids = torch.tensor([[self.texts[number]]])  # a question with this one choice
            with torch.no_grad():
                return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
        out = self.their_forward(model, number)
        if task == "question-answering":
            return torch.stack([out.start_logits[0], out.end_logits[0]], dim=-1)
        if task == "replaced-token":
            return out.logits[0][:, None]
        return out.logits[0]

    def unheard(self, task: str) -> set[str]:
        """Parameters that the head for a task does not depend on, by the family's definition."""
        return set()


def small_case(
    model_type: str, config: Callable[[random.Random], Any], seed: int, **more: Any
) -> Case:
    """A case with a random small config."""
    return Case(model_type, config(random.Random(seed)), seed, **more)


def flat(texts: Ids) -> Tensor:
    """Texts laid end to end, int64 [tokens]."""
    return torch.tensor([token for text in texts for token in text], dtype=torch.int64)


def stir(model: nn.Module) -> None:
    """Weights of a size at which biases, norms and positions all show in the result."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3 if parameter.shape[-1] < 8 else 0.15)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.2)
        for name, buffer in model.named_buffers():
            if name == "final_logits_bias":
                buffer.normal_()
        for part in model.modules():
            if hasattr(
                part, "create_weight"
            ):  # positions that are no weights: files leave them out
                part.weight.copy_(part.create_weight())


def agree_on_bias(model: Any) -> None:
    """An untied head has a second bias that nothing reads; checkpoints hold one in both."""
    for part in model.modules():
        if hasattr(part, "decoder") and hasattr(part, "bias"):
            part.bias.data.copy_(part.decoder.bias)


def close(ours: Tensor, theirs: Tensor, tolerance: float = TOLERANCE) -> None:
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


# The promises.


def equals_reference_everywhere(case: Case) -> None:
    """All hidden states and all attention maps are the reference's."""
    stacks = {"": ("hidden_states", "attentions", case.body)}
    if isinstance(case.body, EncoderDecoder):
        encoder, decoder = case.body.encoder, case.body.decoder
        stacks = {
            "encoder.": ("encoder_hidden_states", "encoder_attentions", encoder),
            "decoder.": ("decoder_hidden_states", "decoder_attentions", decoder),
        }
    with record(case.body, ["*"]) as seen, torch.no_grad():
        case.forward(case.body)
    for number in range(len(case.texts)):
        theirs = case.their_forward(
            case.theirs, number, output_hidden_states=True, output_attentions=True
        )
        for stack, (states, maps, made) in stacks.items():
            layers = len(made.layers)
            assert len(theirs[states]) == layers + 1
            names = ["embeddings.out", *(f"layers.{n}.out" for n in range(layers - 1)), "out"]
            layout = Layout.of(case.targets if stack == "decoder." else case.texts)
            for name, state in zip(names, theirs[states], strict=True):
                close(layout.split(seen[stack + name])[number], state[0])
            for n, weights in enumerate(theirs[maps]):
                close(seen[f"{stack}layers.{n}.attention.map"][number], weights[0])
        for n, weights in enumerate(theirs.get("cross_attentions") or ()):
            close(seen[f"decoder.layers.{n}.cross_attention.map"][number], weights[0])


def heads_equal_reference(case: Case) -> None:
    """Every head's logits are the reference's."""
    assert case.family.HEADS
    for task in case.family.HEADS:
        theirs = case.reference(task)
        whole = case.twin(theirs, task)
        with torch.no_grad():
            hidden = case.forward(whole["body"])
            layout = Layout(tuple(len(rows) for rows in hidden))
            logits = whole["head"](torch.cat(hidden), layout)
        per_text = layout.split(logits) if whole["head"].per_token else logits
        for number in range(len(case.texts)):
            close(per_text[number], case.their_logits(theirs, task, number))


def texts_do_not_touch_each_other(case: Case) -> None:
    """In a batch every text gets what it gets alone."""
    with torch.no_grad():
        together = case.forward(case.body)
        for number, rows in enumerate(together):
            alone = case.forward(case.body, [case.texts[number]], [case.targets[number]])
            close(rows, alone[0])


def kernels_agree(case: Case) -> None:
    """The fast kernel gives what the readable one gives, and the same gradients."""
    results = []
    for watched in (False, True):
        body = copy.deepcopy(case.body)
        with record(body, ["*.map"] if watched else []):
            out = torch.cat(case.forward(body))
        out.square().sum().backward()
        gradients = {name: p.grad for name, p in body.named_parameters() if p.requires_grad}
        results.append((out.detach(), gradients))
    (fast, fast_gradients), (plain, plain_gradients) = results
    close(fast, plain)
    for name, gradient in plain_gradients.items():
        scale = max(1.0, gradient.abs().max().item())
        close(fast_gradients[name] / scale, gradient / scale)


def cache_changes_nothing(case: Case) -> None:
    """Decoding with a cache, token by token or in chunks, equals reading the whole text at once."""
    decoder, texts, memory = case.body, case.texts, None
    if isinstance(decoder, Encoder):
        return
    if isinstance(decoder, EncoderDecoder):
        layout = Layout.of(texts)
        memory = (decoder.encoder(flat(texts), layout).detach(), layout)
        decoder, texts = decoder.decoder, case.targets
    with torch.no_grad():
        whole = Layout.of(texts)
        wanted = whole.split(decoder(flat(texts), whole, memory=memory))
        for chunk in (1, 2, 5):
            cache = Cache(len(texts), len(decoder.layers))
            got: list[list[Tensor]] = [[] for _ in texts]
            # Prompts of different lengths first, then every text goes on until it ends.
            read = [min(len(text), 1 + number % 3) for number, text in enumerate(texts)]
            parts = [text[:n] for text, n in zip(texts, read, strict=True)]
            while any(parts):
                layout = Layout.of(parts)
                out = decoder(flat(parts), layout, cache=cache, memory=memory)
                for rows, new in zip(got, layout.split(out), strict=True):
                    rows.append(new)
                parts = [text[n : n + chunk] for text, n in zip(texts, read, strict=True)]
                read = [n + len(part) for n, part in zip(read, parts, strict=True)]
            for rows, want in zip(got, wanted, strict=True):
                close(torch.cat(rows), want)


def first_tokens_can_be_read_alone(case: Case) -> None:
    """An encoder that is asked for first tokens' states gives those that it gives among all."""
    body = case.body.encoder if isinstance(case.body, EncoderDecoder) else case.body
    if not isinstance(body, Encoder):
        return
    layout = Layout.of(case.texts)
    with torch.no_grad():
        everything = body(flat(case.texts), layout)
        close(body(flat(case.texts), layout, firsts=True), everything[layout.firsts])
        with record(body, ["layers.*"]) as seen:
            body(flat(case.texts), layout)
        with record(body, ["layers.*"]) as watched:
            body(flat(case.texts), layout, firsts=True)
    assert list(watched) == list(seen)
    for name, value in seen.items():
        torch.testing.assert_close(watched[name], value)  # who looks sees all tokens


def the_future_is_not_seen(case: Case) -> None:
    """In a decoder a token's state does not depend on tokens behind it; in an encoder it does."""
    stack, texts = case.body, case.texts
    if isinstance(stack, EncoderDecoder):
        texts = case.targets
    longest = max(range(len(texts)), key=lambda number: len(texts[number]))
    changed = copy.deepcopy(texts)
    allowed = [n for n in range(case.config.vocab_size) if n not in case.forbidden]
    place = len(texts[longest]) // 2
    changed[longest][place] = next(n for n in allowed if n != texts[longest][place])
    with torch.no_grad():
        if isinstance(stack, EncoderDecoder):
            before, after = (case.forward(stack, targets=ids)[longest] for ids in (texts, changed))
        else:
            before, after = (case.forward(stack, ids)[longest] for ids in (texts, changed))
    moved = (before - after).abs().amax(-1) > 1e-6
    window = getattr(case.ours, "window", None) or len(moved)
    assert moved[place : place + 1 + case.ours.layers * (window - 1)].all()
    assert moved[:place].all() if isinstance(stack, Encoder) else not moved[:place].any()


def config_goes_both_ways(case: Case) -> None:
    """Our config survives config.json, and config.json means the same to the reference."""
    values = case.family.to_hf(case.ours)
    assert case.family.from_hf(values) == case.ours
    assert values["model_type"] == case.model_type
    opened = transformers.AutoConfig.for_model(**values).to_dict()
    original = case.config.to_dict()
    for _, key in case.family.FIELDS:
        assert opened.get(key) == original.get(key, values.get(key)), key
    assert case.family.from_hf(opened) == case.ours


def classes_exist(case: Case) -> None:
    """The class names that config.json gets are the reference's, and lead back to the task."""
    assert hasattr(transformers, class_name(case.model_type, None))
    assert task_of(case.model_type, class_name(case.model_type, None)) is None
    for task in case.family.HEADS:
        name = class_name(case.model_type, task)
        assert hasattr(transformers, name)
        assert task_of(case.model_type, name) == task


def names_go_both_ways(case: Case) -> None:
    """Loading and naming again gives the reference's tensors under the reference's names."""
    for task in (None, *case.family.HEADS):
        theirs = case.reference(task)
        whole = case.twin(theirs, task)
        tensors = tensors_of(whole, case.rows(task))
        stored = theirs.state_dict()
        copies = set(theirs.all_tied_weights_keys)
        left_out = {name for name in stored if matches_any(name, case.family.IGNORED)}
        left_out -= set(tensors)
        assert set(tensors) - copies == set(stored) - copies - left_out
        for name, tensor in tensors.items():
            assert torch.equal(tensor, stored[name]), name
        again, mismatch = case.empty(task), Mismatch()
        assert assign(again, case.rows(task), tensors, mismatch) >= set(tensors)
        mismatch.raise_if_any("")
        for name, tensor in whole.state_dict().items():
            assert torch.equal(again.state_dict()[name], tensor), name


def tied_weights_stay_tied(case: Case) -> None:
    """After loading, a table that two parts share is still one tensor, as in the reference."""
    for task in WORD_TASKS & case.family.HEADS.keys():
        whole = case.twin(case.reference(task), task)
        body = whole["body"]
        stack = body.decoder if isinstance(body, EncoderDecoder) else body
        shared = whole["head"].output.weight is stack.embeddings.words.weight
        assert shared == getattr(case.ours, "tied", True)
        if isinstance(body, EncoderDecoder):
            one = body.encoder.embeddings.words.weight is body.decoder.embeddings.words.weight
            assert one == getattr(case.ours, "shared", True)


def every_parameter_learns(case: Case) -> None:
    """A loss behind each head reaches every parameter, while training with dropout."""
    for task, spec in case.family.HEADS.items():
        torch.manual_seed(case.seed)
        body = case.family.build(case.ours)
        whole = nn.ModuleDict({"body": body, "head": spec.build(case.ours, body, LABELS)}).train()
        stir(whole)
        hidden = case.forward(body)
        logits = whole["head"](torch.cat(hidden), Layout(tuple(len(rows) for rows in hidden)))
        (logits * torch.randn_like(logits)).sum().backward()
        silent = {n for n, p in whole.named_parameters() if p.grad is None or not p.grad.any()}
        fixed = {n for n, p in whole.named_parameters() if not p.requires_grad}
        assert silent == fixed | case.unheard(task)
        assert all(name == "head.output.bias" or "positions" in name for name in fixed)


@contextmanager
def dropout_that_shrinks() -> Iterator[None]:
    """While open, all dropout multiplies by the share that stays, ours and the reference's."""

    def shrink(x: Tensor, p: float, training: bool = True, inplace: bool = False) -> Tensor:
        return x * (1 - p) if training else x

    def attend(
        q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, *, scale: float, dropped: int
    ) -> Tensor:
        scores = scale * q @ k.mT
        weights = (scores if added is None else scores + added).softmax(dim=-1)
        return shrink(weights, dropped / 256) @ v

    with (
        mock.patch("torch.nn.functional.dropout", shrink),
        mock.patch("headway.core.dropout.dropout", shrink),
        mock.patch("headway.core.kernels.dropout", shrink),
        mock.patch("headway.core.kernels.attention_with_dropout", attend),
        mock.patch("headway.core.disentangled.dropout", shrink),
    ):
        yield


def dropout_stands_where_the_reference_has_it(case: Case) -> None:
    """While training, dropout that shrinks instead of drawing gives the reference's result."""
    keys = [theirs for ours, theirs in case.family.FIELDS if "dropout" in ours]
    assert keys
    rates = {key: (38 + 51 * number) / 256 for number, key in enumerate(keys)}
    rated = type(case)(
        case.model_type,
        type(case.config)(**{**case.config.to_dict(), **rates}),
        case.seed,
        case.forbidden,
    )

    with dropout_that_shrinks(), torch.no_grad():
        for task in case.family.HEADS:
            theirs = rated.reference(task).train()
            whole = rated.twin(theirs, task).train()
            hidden = rated.forward(whole["body"])
            layout = Layout(tuple(len(rows) for rows in hidden))
            logits = whole["head"](torch.cat(hidden), layout)
            per_text = layout.split(logits) if whole["head"].per_token else logits
            for number in range(len(case.texts)):
                close(per_text[number], rated.their_logits(theirs, task, number))


def half_precision_runs(case: Case) -> None:
    """In bfloat16 the result is the same to its precision."""
    body = copy.deepcopy(case.body).to(torch.bfloat16)
    with torch.no_grad():
        for half, full in zip(case.forward(body), case.forward(case.body), strict=True):
            assert half.dtype == torch.bfloat16
            assert (half.float() - full).abs().mean() < 0.05 * full.abs().mean() + 0.01


def copies_are_equal(case: Case) -> None:
    """A deep copy, and a fresh model with the state dict, compute the same."""
    fresh = case.family.build(case.ours).eval()
    fresh.load_state_dict(case.body.state_dict())
    with torch.no_grad():
        wanted = case.forward(case.body)
        for body in (copy.deepcopy(case.body), fresh):
            for got, want in zip(case.forward(body), wanted, strict=True):
                assert torch.equal(got, want)


def taps_read_and_edit(case: Case) -> None:
    """Points are listed, edits do what they say, and nothing stays behind."""
    body = case.body
    stack = "decoder." if isinstance(body, EncoderDecoder) else ""
    names = list(taps(body))
    assert {f"{stack}embeddings.out", f"{stack}layers.0.attention.map", f"{stack}out"} <= set(names)
    other = case.some_texts(tuple(len(text) for text in case.texts), case.seed + 7)
    targets = case.some_texts(tuple(len(text) for text in case.targets), case.seed + 8)
    with torch.no_grad():
        with record(body, ["*layers.0.out", "*layers.0.attention.map"]) as seen:
            wanted = case.forward(body, other, targets)
        plain = case.forward(body)
        # Layer 0's output taken from another run: everything behind it is that run's.
        point = f"{stack}layers.0.out"
        edits = {name: lambda _, name=name: seen[name] for name in seen if name.endswith(".0.out")}
        if not isinstance(body, EncoderDecoder):
            with replace(body, edits):
                for got, want in zip(case.forward(body), wanted, strict=True):
                    close(got, want)
        # Attention maps put back as they were change nothing.
        with record(body, ["*.map"]) as maps:
            case.forward(body)
        with replace(body, {name: lambda _, name=name: maps[name] for name in maps}):
            for got, want in zip(case.forward(body), plain, strict=True):
                close(got, want)
        with replace(body, {point: lambda value: value.flip(-1)}):
            assert not torch.allclose(case.forward(body)[0], plain[0], atol=1e-4)
        for got, want in zip(case.forward(body), plain, strict=True):
            assert torch.equal(got, want)
    assert not any(tap.watched for tap in taps(body).values())
    with pytest.raises(ConfigError, match=r"layers\.0\.atention\.map.*did you mean"):  # noqa: SIM117
        with record(body, [f"{stack}layers.0.atention.map"]):
            pass


def longest_text_fits(case: Case) -> None:
    """A text of the length that the family states is read as the reference reads it."""
    length = case.family.longest(case.ours)
    assert length is None or length >= 1
    case = type(case)(case.model_type, case.config, case.seed, case.forbidden)
    case.texts = case.some_texts((length or 40,), 0)
    case.targets = case.texts
    with torch.no_grad():
        ours = case.forward(case.body)[0]
    close(ours, case.their_forward(case.theirs, 0).last_hidden_state[0])
    if any(name.endswith("positions.weight") for name, _ in case.body.named_parameters()):
        assert length is not None
        with pytest.raises(IndexError):
            case.forward(case.body, [[*case.texts[0], case.texts[0][0]]])


def fresh_weights_are_sound(case: Case) -> None:
    """A fresh model gives finite states, and a fresh head leaves a tied table alone."""
    torch.manual_seed(0)
    body = case.family.build(case.ours).eval()
    initialise(body, case.ours.initial_std)
    with torch.no_grad():
        assert all(rows.isfinite().all() for rows in case.forward(body))
    before = copy.deepcopy(body.state_dict())
    for spec in case.family.HEADS.values():
        initialise(spec.build(case.ours, body, LABELS), case.ours.initial_std, shared_with=body)
    for name, tensor in body.state_dict().items():
        assert torch.equal(tensor, before[name])


def adapters_begin_as_nothing_and_learn(case: Case) -> None:
    """With them the body is to the bit what it was, until they learn; they are named both ways."""
    body = copy.deepcopy(case.body)
    assert put_bottlenecks(body, 3)
    with torch.no_grad():
        wanted = case.forward(case.body)
        assert all(map(torch.equal, case.forward(body), wanted))
        torch.manual_seed(case.seed)
        for part in [part for part in body.modules() if isinstance(part, Bottleneck)]:
            stir(part)
            part.down.bias.fill_(1.0)  # so that few narrow states are bent to zero
    out = torch.cat(case.forward(body))
    assert not torch.allclose(out.detach(), torch.cat(wanted), atol=1e-3)
    (out * torch.randn_like(out)).sum().backward()
    fresh = [p for name, p in body.named_parameters() if ".bottleneck." in name]
    assert fresh and all(p.grad is not None and p.grad.any() for p in fresh)
    rows, mismatch = adapted_rows(case.family.NAMES), Mismatch()
    tensors = tensors_of(body, rows)
    again = case.empty(None)["body"]
    put_bottlenecks(again, 3)
    assert assign(again, rows, tensors, mismatch) >= set(tensors)
    mismatch.raise_if_any("")
    with torch.no_grad():
        assert all(map(torch.equal, case.forward(again), case.forward(body)))


PROMISES: list[Callable[[Case], None]] = [
    equals_reference_everywhere,
    heads_equal_reference,
    texts_do_not_touch_each_other,
    kernels_agree,
    cache_changes_nothing,
    first_tokens_can_be_read_alone,
    the_future_is_not_seen,
    config_goes_both_ways,
    classes_exist,
    names_go_both_ways,
    tied_weights_stay_tied,
    every_parameter_learns,
    dropout_stands_where_the_reference_has_it,
    half_precision_runs,
    copies_are_equal,
    taps_read_and_edit,
    longest_text_fits,
    fresh_weights_are_sound,
    adapters_begin_as_nothing_and_learn,
]


def promise_name(promise: Callable[[Case], None]) -> str:
    return promise.__name__


__all__ = [
    "PROMISES",
    "SEEDS",
    "Case",
    "close",
    "dropout_that_shrinks",
    "flat",
    "promise_name",
    "small_case",
]
