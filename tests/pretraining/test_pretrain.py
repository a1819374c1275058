"""From raw text to a model: every family and objective learns, is saved, and opens elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import headway
from headway.checkpoints.fresh import STARTABLE
from headway.core import ragged
from headway.core.dropout import drops
from headway.errors import ConfigError, DataError, InputError
from headway.pretraining import TokenizerPlan, pretrain
from headway.pretraining.stored import round_weights
from headway.training.objectives.masked import Masked

from .texts import RUN, SMALL, VOCABULARY, paragraphs, small, texts

CLASSES = {
    "bert": transformers.AutoModelForMaskedLM,
    "modernbert": transformers.AutoModelForMaskedLM,
    "gpt2": transformers.AutoModelForCausalLM,
    "llama": transformers.AutoModelForCausalLM,
    "t5": transformers.AutoModelForSeq2SeqLM,
    "bart": transformers.AutoModelForSeq2SeqLM,
    "electra": transformers.ElectraForPreTraining,
}


@pytest.mark.parametrize("family", STARTABLE)
def test_every_family_learns_from_raw_text(family: str) -> None:
    made = small(family, max_steps=30)
    before, after = (made.report[when]["held-out"] for when in ("before", "after"))
    main = made.report["main"]
    assert after[main] < 0.9 * before[main]
    assert made.report["gain"] == pytest.approx(before[main] - after[main])
    assert made.report["forgotten"] == {}
    assert not made.model.training


@pytest.mark.parametrize("masking", ["tokens", "words", "spans"])
@pytest.mark.parametrize(("family", "objective"), [("bert", "masked"), ("electra", "replaced")])
def test_maskings(family: str, objective: str, masking: str) -> None:
    made = small(family, objective=objective, masking=masking, max_steps=30)
    main = made.report["main"]
    assert made.report["after"]["held-out"][main] < made.report["before"]["held-out"][main]


def test_contrast_finds_a_text_again() -> None:
    rows = headway.Dataset.from_columns({"text": [f"{t} {n}" for n, t in enumerate(paragraphs())]})
    made = small("bert", rows, objective="contrastive", lr=1e-3, max_steps=20)
    assert made.report["after"]["held-out"]["loss"] < made.report["before"]["held-out"]["loss"]
    assert "perplexity" not in made.report["after"]["held-out"]
    assert made.model.head is None and made.model.checkpoint.embedding.declared


@pytest.mark.parametrize("family", CLASSES)
def test_it_opens_elsewhere(family: str, tmp_path: Path) -> None:
    made = small(family, out=tmp_path / "run")
    theirs, told = CLASSES[family].from_pretrained(tmp_path / "run", output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"]
    ids = made.model.need_tokenizer().encode(paragraphs(1)[0]).ids
    with torch.no_grad():
        if family in ("t5", "bart"):
            ours = made.model.forward([ids], target=[ids[:3]]).logits
            fed = {"decoder_input_ids": torch.tensor([ids[:3]])}
        else:
            ours, fed = made.model.forward([ids]).logits, {}
        right = theirs.eval()(input_ids=torch.tensor([ids]), **fed).logits[0]
    assert ours is not None
    torch.testing.assert_close(ours[0].squeeze(-1), right, atol=2e-5, rtol=2e-4)
    words = transformers.AutoTokenizer.from_pretrained(tmp_path / "run")
    assert words(paragraphs(1)[0])["input_ids"] == ids


def test_the_folder_is_whole_and_goes_on_to_a_task(tmp_path: Path) -> None:
    made = small(out=tmp_path / "run", command="headway pretrain ...")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "report.json", "report.html",
            "README.md", "run.json", "metrics.jsonl"} <= names  # fmt: skip
    assert "training" not in names and "live.html" in names
    report = json.loads((tmp_path / "run/report.json").read_text("utf-8"))
    assert report == made.report
    assert report["data"]["texts"] == 60 and report["tokens"] > 0
    assert report["data"]["bytes"] == sum(len(text) for text in paragraphs())
    rows = headway.Dataset.from_columns(
        {"text": paragraphs(40), "label": [text.split()[1] for text in paragraphs(40)]}
    )
    adapted = headway.adapt(tmp_path / "run", rows, epochs=1, baseline=False)
    assert 0 <= adapted.report["test"]["accuracy"] <= 1


@pytest.mark.parametrize(("word", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16)])
def test_weights_at_half_the_size(word: str, dtype: torch.dtype, tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    small("bert", out=whole, max_steps=5)
    made = small("bert", out=half, max_steps=5, weights=word)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (whole, half)]
    assert sizes[1] < 0.55 * sizes[0]
    assert json.loads((half / "config.json").read_text("utf-8"))["dtype"] == f"{dtype}"[6:]
    theirs = CLASSES["bert"].from_pretrained(half)
    assert next(theirs.parameters()).dtype == dtype
    again = headway.load(half)  # what was measured is what is saved
    kept = dict(again.named_parameters())
    assert all(torch.equal(p, kept[name]) for name, p in made.model.named_parameters())
    assert all(p.dtype == torch.float32 for p in made.model.parameters())
    assert made.report["stored"] == word


def test_weights_too_large_for_fp16_are_saved_in_bf16() -> None:
    layer = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(layer.weight, 1e5)
    assert round_weights(layer, "fp16") == "bf16"
    assert layer.weight[0, 0].item() == pytest.approx(1e5, rel=0.01)


def test_a_large_weight_is_said_and_saved_whole(tmp_path: Path) -> None:
    model = small("bert", max_steps=1).model
    with torch.no_grad():
        model.body.embeddings.words.weight[0, 0] = 1e5  # type: ignore[union-attr, index, operator]
    given: dict[str, Any] = {**RUN, "max_steps": 1, "weights": "fp16", "lr": 1e-9}
    made = pretrain(model, texts(), out=tmp_path / "run", **given)
    assert made.report["stored"] == "bf16"
    assert any("too large for fp16" in note for note in made.report["notes"])
    assert all(p.isfinite().all() for p in headway.load(tmp_path / "run").parameters())


def test_second_pre_training_gains_and_forgets(tmp_path: Path) -> None:
    small("gpt2", out=tmp_path / "first", max_steps=60)
    turned = headway.Dataset.from_columns(
        {"text": [" ".join(reversed(text.split())) for text in paragraphs()]}
    )
    second = pretrain(tmp_path / "first", turned, earlier={"first": texts(seed=1)},
                      out=tmp_path / "second", **{**RUN, "max_steps": 60})  # fmt: skip
    report = second.report
    assert report["gain"] > 0.3
    assert report["forgotten"]["first"] > 0.1
    assert report["after"]["first"]["loss"] > report["before"]["first"]["loss"]
    assert report["model"] == str(tmp_path / "first")
    assert "the loss rose by" in (tmp_path / "second/README.md").read_text("utf-8")


def test_the_same_seed_gives_the_same_model() -> None:
    one, same, other = small(seed=3), small(seed=3), small(seed=4)
    for left, right in zip(one.model.parameters(), same.model.parameters(), strict=True):
        assert torch.equal(left, right)
    assert one.report["curve"] == same.report["curve"]
    assert any(
        not torch.equal(left, right)
        for left, right in zip(one.model.parameters(), other.model.parameters(), strict=True)
    )


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    small()
    assert torch.equal(torch.rand(3), expected)


def test_a_split_for_validation_is_held_out() -> None:
    made = small(data={"train": texts(), "validation": texts(20, seed=9)})
    assert made.report["data"]["blocks"]["held-out"] > 2


def test_one_block_can_measure() -> None:
    made = small(data={"train": texts(), "validation": texts(1)}, earlier={"short": texts(1, 4)})
    assert made.report["data"]["blocks"]["held-out"] == 1
    assert made.report["after"].keys() == {"held-out", "short"}


def test_nothing_held_out() -> None:
    made = small(validation=0)
    assert made.report["after"] == {} and made.report["gain"] is None
    assert made.report["curve"]["validation"] == []


def test_measured_on_the_way_without_a_trace() -> None:
    often, seldom = small(validate_every=2), small(validate_every=1000)
    assert [row["step"] for row in often.report["curve"]["validation"]] == [2, 4, 6, 8]
    assert [row["step"] for row in seldom.report["curve"]["validation"]] == [8]
    for left, right in zip(often.model.parameters(), seldom.model.parameters(), strict=True):
        assert torch.equal(left, right)


def test_a_config_starts_a_model(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    values = {"model_type": "bert", "hidden_size": 24, "num_hidden_layers": 1,
              "num_attention_heads": 3, "intermediate_size": 40}  # fmt: skip
    config.write_text(json.dumps(values))
    made = pretrain(config, texts(), tokenizer=VOCABULARY, **RUN)
    assert made.model.checkpoint.config.hidden == 24
    assert made.model.checkpoint.config.vocabulary == len(made.model.need_tokenizer())


def test_a_tokenizer_that_is_there(tmp_path: Path) -> None:
    small(out=tmp_path / "run")
    made = small(tokenizer=tmp_path / "run")
    there = headway.load(tmp_path / "run").need_tokenizer()
    assert made.model.need_tokenizer().vocabulary == there.vocabulary


def test_capitals_are_kept_where_asked() -> None:
    rows = headway.Dataset.from_columns({"text": [text.title() for text in paragraphs()]})
    cased = small(data=rows, tokenizer=TokenizerPlan(size=420, lowercase=False))
    assert cased.model.need_tokenizer().decode(cased.model.need_tokenizer().encode("The").ids) == (
        "The"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"micro_batch_tokens": 200},
        {"average": 0.9},
        {"optimiser": "muon"},
        {"optimiser": "lion", "schedule": "wsd"},
        {"epochs": 2, "max_steps": None},
        {"max_seconds": 0.001, "max_steps": None},
    ],
    ids=str,
)
def test_every_other_setting_runs(settings: dict[str, Any]) -> None:
    made = small(**settings)
    assert np.isfinite(made.report["after"]["held-out"]["loss"])


def test_parts_of_a_step_do_not_change_it() -> None:
    whole, parts = small(max_steps=2), small(max_steps=2, micro_batch_tokens=200)
    for one, other in zip(whole.report["curve"]["train"], parts.report["curve"]["train"],
                          strict=True):  # fmt: skip
        assert other["loss"] == pytest.approx(one["loss"], rel=0.02)


def test_a_processor_reads_a_step_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless texts are compared with all others of a step."""
    asked, compares = small(max_steps=2, micro_batch_tokens=200), {"objective": "contrastive"}
    whole = small(max_steps=2, **compares)
    monkeypatch.setattr(ragged, "USUAL_TOKENS", {"cpu": 200})
    found = small(max_steps=2)
    assert found.report["curve"]["train"] == asked.report["curve"]["train"]
    assert found.report["settings"]["micro_batch_tokens"] == 200
    unmoved = small(max_steps=2, **compares)
    assert unmoved.report["curve"]["train"] == whole.report["curve"]["train"]
    assert unmoved.report["settings"]["micro_batch_tokens"] is None


def same_weights(one: Any, other: Any) -> bool:
    pairs = zip(one.model.parameters(), other.model.parameters(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


def test_nothing_is_dropped_where_no_text_is_read_twice() -> None:
    once = {"max_steps": None, "epochs": 1}
    usual = small(**once)
    assert same_weights(usual, small(**once, dropout=0))
    assert not same_weights(usual, small(**once, dropout=0.1))
    assert "no dropout, as no text is read twice" in usual.report["notes"]
    assert drops(usual.model.body)  # behind it, and in its config, as before
    assert usual.model.checkpoint.values["hidden_dropout_prob"] == 0.1


def test_the_models_dropout_where_texts_are_read_several_times() -> None:
    twice = small(max_steps=None, epochs=2)
    assert same_weights(twice, small(max_steps=None, epochs=2, dropout=0.1))
    assert not same_weights(twice, small(max_steps=None, epochs=2, dropout=0))
    assert not [note for note in twice.report["notes"] if "dropout" in note]


def test_dropout_of_texts_that_are_compared_with_themselves() -> None:
    contrast = {"objective": "contrastive", "max_steps": None, "epochs": 1}
    assert same_weights(small(**contrast), small(**contrast, dropout=0.1))


def test_a_model_that_has_learned_has_the_name_of_its_folder(tmp_path: Path) -> None:
    made = small(out=tmp_path / "run", max_steps=1)
    assert made.model.source == str(tmp_path / "run")
    again = pretrain(made.model, texts(), **{**RUN, "max_steps": 1})
    assert again.report["model"] == str(tmp_path / "run") and made.model.source == ""


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"objective": "causal"}, "is no decoder"),
    ({"objective": "denoise"}, "has one stack"),
    ({"objective": "replaced"}, "does not say of tokens"),
    ({"family": "gpt2", "objective": "masked"}, "tells no hidden words"),
    ({"family": "t5", "objective": "contrastive"}, "makes no vectors"),
    ({"family": "llama", "objective": "contrastive"}, "has no dropout"),
    ({"objective": "contrastive", "dropout": 0}, "has no dropout"),
    ({"dropout": 1}, "dropout = 1"),
    ({"family": "llama", "dropout": 0.1}, "that has none"),
    ({"objective": "maskde"}, "masked"),
    ({"masking": "words", "family": "gpt2"}, "masking"),
    ({"noise": "spans"}, "noise"),
    ({"noise": "spans", "objective": "masked"}, "noise"),
    ({"window": 7}, "window = 7"),
    ({"hidden": 33}, "a multiple of the number of heads"),
    ({"lr": -1}, "lr = -1"),
    ({"family": "brt"}, "brt"),
    ({"family": "clip"}, "starts no model"),
    ({"tokenizer": TokenizerPlan(size=10)}, "a vocabulary of 10"),
    ({"data": headway.Dataset.from_columns({"text": ["", ""]})}, "there is no text"),
    ({"data": headway.Dataset.from_columns({"n": [1, 2]})}, "0 columns of texts"),
    (
        {"data": headway.Dataset.from_columns({"text": ["low lower lowest"] * 3})},
        "two blocks or more",
    ),
    ({"text": "body"}, "no column of texts 'body'"),
    ({"earlier": {"held-out": texts()}}, "earlier texts are called 'held-out'"),
    ({"earlier": ["old/held-out.txt"]}, "earlier texts are called 'held-out'"),
]


@pytest.mark.parametrize(("settings", "said"), REFUSED, ids=[str(said) for _, said in REFUSED])
def test_what_cannot_be_is_said_before_any_training(
    settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    given = {"family": "bert", **settings}
    with pytest.raises(InputError, match=said):
        small(out=tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


def test_a_window_that_the_model_does_not_take(tmp_path: Path) -> None:
    small(out=tmp_path / "run")
    with pytest.raises(ConfigError, match="at most the model's 512 tokens"):
        pretrain(tmp_path / "run", texts(), **{**RUN, "window": 513})


def test_sizes_of_a_model_that_is_there(tmp_path: Path) -> None:
    small(out=tmp_path / "run")
    with pytest.raises(ConfigError, match="layers with a model that is there"):
        pretrain(tmp_path / "run", texts(), layers=2, **RUN)


def test_a_loss_that_is_no_number_stops_safely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, steps = Masked.loss, []

    def breaks(self: Masked, model: Any, ready: Any) -> Any:
        found = asked(self, model, ready)
        steps.append(torch.is_grad_enabled())
        return tuple(term * float("nan") for term in found) if sum(steps) == 4 else found

    monkeypatch.setattr(Masked, "loss", breaks)
    with pytest.raises(ConfigError, match="loss became nan in step 4 of 8") as caught:
        small(out=tmp_path / "run")
    assert "last good state" in str(caught.value)
    failed = (tmp_path / "run/failed-rows.jsonl").read_text("utf-8").splitlines()
    assert failed and all(json.loads(line)["text"].strip() for line in failed)
    kept = headway.load(tmp_path / "run")
    assert all(torch.isfinite(p).all() for p in kept.parameters())
    assert json.loads((tmp_path / "run/run.json").read_text("utf-8"))["state"] == "diverged"


def test_texts_in_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(paragraphs(40)))
    (tmp_path / "b.txt").write_text("\n\n".join(paragraphs(30, seed=1)))
    made = small(data=[tmp_path / "a.txt", tmp_path / "b.txt"])
    assert made.report["data"]["texts"] == 70
    lines = small(data=tmp_path / "a.txt", sample_by="document", validation=0.1)
    assert lines.report["data"]["texts"] == 1
    with pytest.raises((DataError, InputError)):
        small(data=tmp_path / "none.txt")


def test_two_sizes_are_in_the_signature() -> None:
    made = small(**{**SMALL, "layers": 1, "heads": 4})
    assert made.model.checkpoint.config.layers == 1 and made.model.checkpoint.config.heads == 4


def test_the_live_page_knows_how_many_epochs_there_are(tmp_path: Path) -> None:
    made = small(out=tmp_path / "run", max_steps=30)
    epochs = int(made.report["curve"]["train"][-1]["epoch"])
    assert epochs > 2 and f"epoch {epochs} of {epochs}" in (tmp_path / "run/live.html").read_text()


def test_earlier_texts_are_measured_on_what_was_held_out_of_them(tmp_path: Path) -> None:
    first = small("gpt2", out=tmp_path / "first", validation=0.3)
    again = pretrain(tmp_path / "first", texts(20, seed=9), earlier={"first": texts()},
                     **{**RUN, "max_steps": 1, "validation": 0.3})  # fmt: skip
    assert again.report["before"]["first"] == pytest.approx(first.report["after"]["held-out"])
    split = {"train": texts(), "validation": texts(12, seed=4)}
    parted = small("gpt2", split, out=tmp_path / "parted")
    after = pretrain(tmp_path / "parted", texts(20, seed=9), earlier={"parted": split},
                     **{**RUN, "max_steps": 1})  # fmt: skip
    assert after.report["before"]["parted"] == pytest.approx(parted.report["after"]["held-out"])


def test_operations_are_counted_where_they_are_known(tmp_path: Path) -> None:
    assert small().report["utilisation"]["share"] > 0
    assert small("t5", out=tmp_path / "run").report["utilisation"]["share"] is None
