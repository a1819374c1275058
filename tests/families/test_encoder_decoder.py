"""Two stacks joined keep the promises of a family, for every pair that the reference can join."""

from __future__ import annotations

import copy
import json
import random
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import contracts
import pytest
import torch
import transformers
from checkpoints.models import loaded
from contracts import Case, close, dropout_that_shrinks, promise_name, stir
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from headway.core.names import matches_any
from headway.errors import CheckpointError
from headway.families import FAMILIES, family_for, joined
from headway.families.encoder_decoder import TASK

from . import test_bert, test_distilbert, test_electra, test_gpt2, test_llama, test_roberta

PAIRS = [
    ("bert", "bert"),
    ("roberta", "roberta"),
    ("bert", "gpt2"),
    ("gpt2", "gpt2"),
    ("llama", "roberta"),
    ("distilbert", "bert"),
    ("electra", "gpt2"),
]

OF_TWO_SIZES = {("electra", "gpt2")}

SEEDS = {
    ("bert", "bert"): 14,
    ("roberta", "roberta"): 13,
    ("bert", "gpt2"): 9,
    ("gpt2", "gpt2"): 14,
}
"""Of random models that write several words, and no padding, which RoBERTa gives no position."""

PROMISES = [
    contracts.equals_reference_everywhere,
    contracts.heads_equal_reference,
    contracts.texts_do_not_touch_each_other,
    contracts.kernels_agree,
    contracts.cache_changes_nothing,
    contracts.the_future_is_not_seen,
    contracts.every_parameter_learns,
    contracts.half_precision_runs,
    contracts.copies_are_equal,
    contracts.taps_read_and_edit,
    contracts.fresh_weights_are_sound,
    contracts.adapters_begin_as_nothing_and_learn,
]
"""Those that do not need a class of the reference for the body alone."""


class JoinedCase(Case):
    """A case of two stacks: the reference has one class for them, with its head."""

    @property
    def family(self) -> Any:
        return family_for(self.config.to_dict())

    @cached_property
    def theirs(self) -> Any:
        return self.reference(TASK)

    @cached_property
    def body(self) -> Any:
        return self.twin(self.theirs, TASK)["body"]

    def some_texts(self, lengths: tuple[int, ...], seed: int) -> contracts.Ids:
        config = self.config
        rows = min(config.encoder.vocab_size, config.decoder.vocab_size)
        draw = random.Random(seed)
        words = [n for n in range(rows) if n not in self.forbidden]
        return [draw.choices(words, k=length) for length in lengths]

    def reference(self, task: str | None) -> Any:
        config = copy.deepcopy(self.config)
        for part in (config, config.encoder, config.decoder):
            part._attn_implementation = "eager"
        torch.manual_seed(self.seed)
        model = transformers.EncoderDecoderModel(config)
        stir(model)
        if not config.decoder.tie_word_embeddings:
            contracts.agree_on_bias(model)
        return model.eval()

    def twin(self, theirs: nn.Module, task: str | None) -> nn.ModuleDict:
        poolers = (*self.family.IGNORED, "encoder.pooler.*")
        held = {n: t for n, t in theirs.state_dict().items() if not matches_any(n, poolers)}
        bare = nn.Module()
        bare.state_dict = lambda: held  # type: ignore[method-assign, assignment]
        return super().twin(bare, task)


def config_of(kind: str, draw: random.Random) -> Any:
    of = {"bert": test_bert, "distilbert": test_distilbert, "electra": test_electra}
    of["gpt2"] = test_gpt2
    if kind == "llama":
        return test_llama.config(draw, draw.choice(test_llama.ROPES))
    return test_roberta.config(kind, draw) if kind == "roberta" else of[kind].config(draw)


def pair_config(kinds: tuple[str, str], seed: int) -> Any:
    """Two small random configs, of one hidden size or of two."""
    draw = random.Random(seed)
    while True:
        encoder, decoder = (config_of(kind, draw) for kind in kinds)
        if (encoder.hidden_size != decoder.hidden_size) == (kinds in OF_TWO_SIZES):
            break
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    # The promises ask for these where other configs have them; nothing reads them here.
    config.vocab_size = min(encoder.vocab_size, decoder.vocab_size)
    return config


def pair_case(kinds: tuple[str, str], seed: int) -> JoinedCase:
    config = pair_config(kinds, seed)
    stacks = (config.encoder, config.decoder)
    forbidden = {part.pad_token_id for part in stacks if part.model_type == "roberta"}
    return JoinedCase("encoder-decoder", config, seed, tuple(forbidden))


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_promise(promise: Any, kinds: tuple[str, str]) -> None:
    promise(pair_case(kinds, len(promise.__name__)))


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_there_and_back(kinds: tuple[str, str], tmp_path: Path) -> None:
    case = pair_case(kinds, 3)
    case.theirs.config.decoder_start_token_id = 5
    case.theirs.save_pretrained(tmp_path / "theirs")
    model = loaded(tmp_path / "theirs")
    assert model.task == TASK
    assert model.notes == []
    model.save(tmp_path / "ours")
    again, info = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        tmp_path / "ours", output_loading_info=True, attn_implementation="eager"
    )
    assert not any(info.values()), info
    assert type(again) is transformers.EncoderDecoderModel
    assert again.config.decoder_start_token_id == 5
    out = model.forward(case.texts, target=case.targets)
    for number in range(len(case.texts)):
        for theirs in (case.theirs, again.eval()):
            close(out.logits[number], case.their_forward(theirs, number).logits[0])
    held = case.theirs.state_dict()
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, held[name]), name
    assert loaded(tmp_path / "ours").checkpoint.config == model.checkpoint.config


@pytest.mark.parametrize("kinds", [("bert", "bert"), ("roberta", "roberta"), ("gpt2", "gpt2")])
def test_dropout_stands_where_the_reference_has_it(kinds: tuple[str, str]) -> None:
    case = pair_case(kinds, 4)
    for part in (case.config.encoder, case.config.decoder):
        for number, (ours, theirs) in enumerate(FAMILIES[part.model_type].FIELDS):
            if "dropout" in ours and "classifier" not in ours:
                setattr(part, theirs, (26 + 13 * number) / 256)
    theirs = case.reference(TASK).train()
    whole = case.twin(theirs, TASK).train()
    with dropout_that_shrinks(), torch.no_grad():
        for number, rows in enumerate(case.forward(whole["body"])):
            logits = whole["head"](rows, None)
            close(logits, case.their_forward(theirs, number).logits[0])


@pytest.mark.parametrize("kinds", SEEDS, ids="-".join)
def test_greedy_text_is_the_references(kinds: tuple[str, str], tmp_path: Path) -> None:
    case = pair_case(kinds, SEEDS[kinds])
    for part in (case.config.encoder, case.config.decoder):
        setattr(part, "n_positions" if part.model_type == "gpt2" else "max_position_embeddings", 40)
        part.eos_token_id = None
    case.theirs.config.decoder_start_token_id = 5
    case.theirs.generation_config.decoder_start_token_id = 5
    case.theirs.save_pretrained(tmp_path)
    new = loaded(tmp_path).generate_ids(case.texts, max_new_tokens=6)
    assert len({token for tokens in new for token in tokens}) > 3
    for text, ours in zip(case.texts, new, strict=True):
        wanted = case.theirs.generate(
            torch.tensor([text]),
            attention_mask=torch.ones(1, len(text), dtype=torch.int64),
            max_new_tokens=6,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=None,
        )
        assert ours == wanted[0, 1:].tolist()


def test_segments_are_the_encoders(tmp_path: Path) -> None:
    case = pair_case(("bert", "bert"), 1)
    case.theirs.save_pretrained(tmp_path)
    text, target = case.texts[0], case.targets[0]
    segments = [number % case.config.encoder.type_vocab_size for number in range(len(text))]
    assert max(segments) > 0
    ours = loaded(tmp_path).forward([text], segments=[segments], target=[target])
    with torch.no_grad():
        wanted = case.theirs(
            input_ids=torch.tensor([text]),
            token_type_ids=torch.tensor([segments]),
            decoder_input_ids=torch.tensor([target]),
        )
    close(ours.logits[0], wanted.logits[0])


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers()),
    st.sampled_from(sorted(FAMILIES)),
)


@cache
def stored(kinds: tuple[str, str]) -> str:
    return json.dumps(pair_config(kinds, 0).to_dict())


def values_of(kinds: tuple[str, str]) -> Any:
    return json.loads(stored(kinds))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": 3}, "encoder = 3. Allowed: an object"),
        (
            {"decoder": {"model_type": "llama"}},
            "llama has no form that looks at an .*gpt2, roberta",
        ),
        ({"decoder": {"model_type": "bert"}}, "decoder.is_decoder = None. Allowed: true"),
        ({"encoder": {"model_type": "bort"}}, "model_type = 'bort' is not a known"),
        ({"encoder": {"model_type": "bert", "hidden_size": 0}}, "encoder of config.*hidden_size"),
        ({"tie_encoder_decoder": 1.5}, "tie_encoder_decoder = 1.5 is not supported"),
        ({"bridge": 1}, "key 'bridge' is not known"),
    ],
)
def test_what_cannot_be_is_said(change: dict[str, Any], message: str) -> None:
    values = {**values_of(("bert", "bert")), **change}
    with pytest.raises(CheckpointError, match=message):
        family_for(values).from_hf(values)


@given(data=st.data())
def test_no_value_of_any_key_escapes_as_another_error(data: st.DataObject) -> None:
    values = values_of(("bert", "gpt2"))
    part = data.draw(st.sampled_from([values, values["encoder"], values["decoder"]]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(HOSTILE)
    try:
        family = family_for(values)
        config = family.from_hf(values)
    except CheckpointError as error:
        assert "config.json" in str(error) or "no form that looks at an encoder" in str(error)
    else:
        assert family.from_hf(family.to_hf(config)) == config


def test_stacks_that_do_not_fit_are_refused() -> None:
    family = joined("bert", "gpt2")
    values = values_of(("bert", "gpt2"))
    values["tie_encoder_decoder"] = True
    with pytest.raises(CheckpointError, match="Allowed: false, where encoder and decoder differ"):
        family.build(family.from_hf(values))
    two = joined("t5", "bert")
    config = two.from_hf({**values_of(("bert", "bert")), "encoder": {"model_type": "t5"}})
    with torch.device("meta"), pytest.raises(CheckpointError, match="EncoderDecoder as an encoder"):
        two.build(config)
