"""What transformers saves computes the same here, and what is saved here the same there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from contracts import Case, close

from checkpoints.models import AUTO, HEADS, KINDS, loaded, random_case, reference, tensors, write
from headway.checkpoints import new_head
from headway.checkpoints.heads import LABELLED
from headway.core.stacks import EncoderDecoder
from headway.families import FAMILIES, class_name

WAYS = [(kind, task, "whole") for kind, task in HEADS]
WAYS += [(kind, None, "shards") for kind in KINDS[::2]]
WAYS += [(kind, next(iter(FAMILIES[kind].HEADS)), "bin") for kind in KINDS[1::2]]
"""Every head, and for each kind one of the other forms: a body in shards, or a head as bin."""


def check_same(model: Any, theirs: Any, case: Case) -> None:
    """Hidden states, attention maps and logits of every text are the reference's."""
    two = isinstance(model.body, EncoderDecoder)
    out = model.forward(
        case.texts, target=case.targets if two else None, record=["hidden", "attention"]
    )
    side = "decoder_" if two else ""
    for number in range(len(case.texts)):
        body = theirs.base_model
        wanted = case.their_forward(body, number, output_hidden_states=True, output_attentions=True)
        pairs = [
            (out.hidden, f"{side}hidden_states"),
            (out.attention, f"{side}attentions"),
            (out.encoder_hidden, "encoder_hidden_states"),
            (out.encoder_attention, "encoder_attentions"),
            (out.cross_attention, "cross_attentions"),
        ]
        for ours, name in pairs[: 5 if two else 2]:
            assert ours is not None
            assert len(ours) == len(wanted[name])
            for layer, state in zip(ours, wanted[name], strict=True):
                close(layer[number], state[0])
        close(out.last[number], out.hidden[-1][number])
        if model.task is None:
            assert out.logits is None
        else:
            assert out.logits is not None
            close(out.logits[number], case.their_logits(theirs, model.task, number))


def opened(folder: Path, task: str | None) -> Any:
    """What the reference's Auto class makes of a folder, which fits without a remark."""
    model, info = AUTO[task].from_pretrained(
        folder, output_loading_info=True, attn_implementation="eager"
    )
    assert not any(info.values()), info
    return model.eval()


@pytest.mark.parametrize(("kind", "task", "way"), WAYS)
def test_there_and_back(kind: str, task: str | None, way: str, tmp_path: Path) -> None:
    case = random_case(kind, len(kind) + len(way))
    theirs = reference(case, task)
    model = loaded(write(theirs, tmp_path / "theirs", way))
    assert model.task == task
    assert model.labels == (("LABEL_0", "LABEL_1", "LABEL_2") if task in LABELLED else ())
    check_same(model, theirs, case)
    model.save(tmp_path / "ours")
    again = opened(tmp_path / "ours", task)
    assert type(again).__name__ == class_name(kind, task)
    for number in range(len(case.texts)):
        # On some processors the order of additions depends on where in memory a file's tensors lie,
        # so outputs are close and weights are equal.
        before, after = (case.their_forward(m.base_model, number) for m in (theirs, again))
        assert before.keys() == after.keys()
        for name in before.keys() & {"last_hidden_state", "pooler_output"}:
            close(before[name], after[name])
        if task is not None:
            close(*(case.their_logits(m, task, number) for m in (theirs, again)))
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    # Saving is the inverse of loading, to the last bit.
    model_again = loaded(tmp_path / "ours")
    check_same(model_again, theirs, case)
    for name, tensor in model.state_dict().items():
        assert torch.equal(model_again.state_dict()[name], tensor), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_of_ours(kind: str, tmp_path: Path) -> None:
    case = random_case(kind, 1)
    theirs = reference(case, None)
    model = loaded(write(theirs, tmp_path / "theirs"))
    labels = ["yes", "no", "née", "\ud800"]
    first = KINDS.index(kind) % 4
    for pooling in ("first", "mean", "max", "last", "first")[first : first + 2]:
        torch.manual_seed(0)
        model.put_head(
            new_head(
                model.checkpoint.family,
                "text-classification",
                labels=labels,
                kind="multi-label",
                head="linear",
                pooling=pooling,
            )
        )
        two = isinstance(model.body, EncoderDecoder)
        target = case.targets if two else None
        before = model.forward(case.texts, target=target)
        assert before.logits is not None
        assert before.logits[0].shape == (4,)
        model.save(tmp_path / "ours")
        again = loaded(tmp_path / "ours")
        assert (again.task, again.labels) == ("text-classification", tuple(labels))
        plan = again.checkpoint.plan
        assert plan is not None
        assert (plan.kind, plan.stored) == ("multi-label", {"type": "linear", "pooling": pooling})
        after = again.forward(case.texts, target=target)
        assert after.logits is not None
        for ours, wanted in zip(after.logits, before.logits, strict=True):
            close(ours, wanted)
    body, info = transformers.AutoModel.from_pretrained(
        tmp_path / "ours", output_loading_info=True, attn_implementation="eager"
    )
    assert not info["missing_keys"]
    assert not info["mismatched_keys"]
    assert set(info["unexpected_keys"]) == {"head.output.weight", "head.output.bias"}
    for number in range(len(case.texts)):
        before, after = (case.their_forward(m, number) for m in (theirs, body.eval()))
        close(before.last_hidden_state, after.last_hidden_state)


def test_a_head_taken_off_and_another_put_on(tmp_path: Path) -> None:
    case = random_case("bert", 5)
    folder = write(reference(case, "text-classification"), tmp_path / "a")
    model = loaded(folder)
    states = model.forward(case.texts).last
    family = model.checkpoint.family
    model.put_head(new_head(family, "fill-mask", labels=(), kind="", head="family", pooling=""))
    hidden, rows = case.ours.hidden, case.ours.vocabulary
    fresh = hidden * hidden + hidden + 2 * hidden + rows + (0 if case.ours.tied else hidden * rows)
    assert model.notes == [
        "took off the text-classification head with 3 outputs, "
        f"put on a new fill-mask head: {fresh:,} parameters to be trained"
    ]
    if case.ours.tied:
        words = model.body.embeddings.words.weight
        assert model.head.output.weight is words
    model.save(folder)
    assert not any(name.startswith("classifier") for name in tensors(folder))
    theirs = opened(folder, "fill-mask")
    assert theirs.config.num_labels == 2  # nothing is left of the three
    for number, (ours, before) in enumerate(
        zip(model.forward(case.texts).logits or [], states, strict=True)
    ):
        close(ours, case.their_forward(theirs, number).logits[0])
        close(loaded(folder).forward(case.texts).last[number], before)
    model.put_head(None)
    assert (model.task, model.labels, model.head) == (None, (), None)
    assert model.notes[-1] == "took off the fill-mask head"


@pytest.mark.parametrize("task", ["fill-mask", "text-classification"])
def test_a_head_that_is_not_wanted_is_left_out_and_said(task: str, tmp_path: Path) -> None:
    case = random_case("distilbert", 2)
    theirs = reference(case, task)
    model = loaded(write(theirs, tmp_path / "a"), keep_head=False)
    assert (model.task, model.head) == (None, None)
    assert len(model.notes) == 1
    assert model.notes[0].startswith("left out ")
    assert ("vocab_transform.weight" if task == "fill-mask" else "classifier.weight") in (
        model.notes[0]
    )
    model.save(tmp_path / "b")
    body = opened(tmp_path / "b", None)
    for number in range(len(case.texts)):
        close(
            case.their_forward(body, number).last_hidden_state[0],
            model.forward(case.texts).last[number],
        )


def test_a_head_that_is_not_known_is_said(tmp_path: Path) -> None:
    case = random_case("bert", 3)
    torch.manual_seed(0)
    theirs = transformers.BertForNextSentencePrediction(case.config)
    model = loaded(write(theirs, tmp_path / "a"))
    assert model.head is None
    assert model.notes == [
        "left out cls.seq_relationship.bias, cls.seq_relationship.weight: no head here is that of "
        "BertForNextSentencePrediction"
    ]


def test_the_pooler_outlives_a_head_of_ours_but_not_a_family_head(tmp_path: Path) -> None:
    case = random_case("bert", 4)
    model = loaded(write(reference(case, None), tmp_path / "a"))
    plan = new_head(
        model.checkpoint.family, "fill-mask", labels=(), kind="", head="family", pooling=""
    )
    model.save(tmp_path / "b")
    assert torch.equal(
        tensors(tmp_path / "b")["pooler.dense.weight"],
        tensors(tmp_path / "a")["pooler.dense.weight"],
    )
    model.put_head(plan)
    model.save(tmp_path / "c")
    opened(tmp_path / "c", "fill-mask")
