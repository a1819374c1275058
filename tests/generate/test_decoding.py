"""Options are checked, and those of a checkpoint are heeded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkpoints.models import reference, write
from pipelines.models import writer

import headway
from headway.errors import CheckpointError, ConfigError
from headway.generate import Decoding, OneOf
from headway.generate.decoding import COUNTS, NUMBERS, changed
from headway.generate.stored import KEYS, NOT_HERE, WHEN_DRAWN, stored_decoding

from .references import case_of

WRONG: list[tuple[dict[str, Any], str]] = [
    *[({name: low - 1}, name) for name, (low, _) in COUNTS.items()],
    *[({name: 1.5}, name) for name in COUNTS],
    *[({name: True}, name) for name in COUNTS],
    *[({name: float("nan")}, name) for name in NUMBERS],
    *[({name: "much"}, name) for name in NUMBERS],
    ({"temperature": -0.1}, r"temperature = -0.1. Allowed: 0 or more"),
    ({"top_p": 0}, r"top_p = 0. Allowed: above 0, at most 1"),
    ({"min_p": 1.1}, r"min_p = 1.1. Allowed: 0 to 1"),
    ({"epsilon": 1}, r"epsilon = 1. Allowed: above 0, below 1"),
    ({"repetition_penalty": 0}, r"repetition_penalty = 0. Allowed: above 0"),
    ({"stop": ""}, "stop"),
    ({"stop": ("a", 1)}, "stop"),
    ({"bad_words": ((),)}, "bad_words hold"),
    ({"bad_words": ((1.5,),)}, "bad_words hold"),
    ({"suppressed": (-1,)}, "suppressed"),
    ({"stop_tokens": ("a",)}, "stop_tokens"),
    ({"early_stopping": "maybe"}, "early_stopping"),
    ({"sequences": 2}, "give beams, or a temperature"),
    ({"sequences": 3, "beams": 2}, "of 2 beams"),
    ({"contrastive": 0.5, "beams": 2}, "contrastive"),
    ({"max_new_tokens": 2, "min_new_tokens": 3}, "min_new_tokens = 3. Allowed: up to 2"),
    ({"temprature": 1}, r"no option 'temprature'.*did you mean 'temperature'"),
]


@pytest.mark.parametrize(("options", "says"), WRONG, ids=str)
def test_what_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        changed(Decoding(), options)
    with pytest.raises(ConfigError, match=says):
        writer().generate(["w1"], **options)


def test_what_lists_become() -> None:
    decoding = Decoding(stop=["a", "b"], bad_words=[[1, 2]], constraint=[OneOf("a"), None])  # type: ignore[arg-type]
    assert decoding.stop == ("a", "b")
    assert Decoding(stop="ab").stop == ("ab",)
    assert isinstance(decoding.constraint, tuple)


def test_a_decoding_is_taken_as_it_is() -> None:
    model = writer()
    settings = Decoding(max_new_tokens=3, stop_tokens=())
    texts = model.generate(["w1"], decoding=settings)
    assert texts == model.generate(["w1"], 3, stop_tokens=())
    assert model.generate(["w1"], 2, decoding=settings) == model.generate(["w1"], 2, stop_tokens=())
    with pytest.raises(ConfigError, match=r"decoding is a dict. Allowed: a headway.generate.Dec"):
        model.generate(["w1"], decoding={})


def test_every_key_is_an_option() -> None:
    for ours in (*KEYS.values(), *WHEN_DRAWN.values()):
        assert hasattr(Decoding(), ours)
    assert not set(KEYS) & set(NOT_HERE)


def test_what_the_ecosystem_means() -> None:
    assert stored_decoding({}) == Decoding()
    silent = {"temperature": 0.6, "top_p": 0.9, "top_k": 50, "do_sample": False, "num_beams": 1}
    assert stored_decoding(silent) == Decoding()
    drawn = stored_decoding({"do_sample": True, "top_p": 0.9, "temperature": 0.6})
    assert drawn == Decoding(temperature=0.6, top_p=0.9, top_k=50)
    assert stored_decoding({"do_sample": True, "top_k": 0}) == Decoding(temperature=1.0)
    bart = {
        "num_beams": 4,
        "length_penalty": 2.0,
        "max_length": 142,
        "min_length": 56,
        "no_repeat_ngram_size": 3,
        "forced_eos_token_id": 2,
        "forced_bos_token_id": 0,
        "early_stopping": True,
        "bad_words_ids": [[7], [8, 9]],
    }
    assert stored_decoding(bart) == Decoding(
        beams=4,
        length_penalty=2.0,
        max_length=142,
        min_length=56,
        no_repeat_ngram=3,
        forced_last=(2,),
        forced_first=0,
        early_stopping=True,
        bad_words=((7,), (8, 9)),
    )
    with pytest.raises(ConfigError, match=r"generation_config.json: num_beams|beams = 'x'"):
        stored_decoding({"num_beams": "x"})


def test_what_is_not_heeded_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "headway"):
        stored_decoding({"num_beam_groups": 1, "guidance_scale": 1.5})
    assert "guidance_scale is not heeded" in caplog.text
    assert "num_beam_groups" not in caplog.text


@pytest.mark.parametrize("where", ["generation_config.json", "config.json"])
def test_the_files_of_a_checkpoint_speak(where: str, tmp_path: Path) -> None:
    case = case_of("gpt2", 2)
    write(reference(case, "text-generation"), tmp_path)
    said = {"num_beams": 3, "max_length": 15, "eos_token_id": None}
    (tmp_path / "generation_config.json").unlink()
    path = tmp_path / where
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **said}))
    model = headway.load(tmp_path)
    assert model.decoding == Decoding(beams=3, max_length=15)
    prompts = case.texts[:2]
    assert model.generate_ids(prompts) == [
        model.generate_ids([prompt], 15 - len(prompt), decoding=Decoding(beams=3))[0]
        for prompt in prompts
    ]
    assert model.generate_ids(prompts, beams=1, max_new_tokens=3) == model.generate_ids(
        prompts, decoding=Decoding(max_new_tokens=3)
    )
    with pytest.raises(ConfigError, match=r"a prompt of 15 tokens and max_length = 15"):
        model.generate_ids([[1] * 15])
    model.save(tmp_path / "again")
    assert headway.load(tmp_path / "again").decoding == model.decoding


def test_a_broken_file_is_an_error(tmp_path: Path) -> None:
    write(reference(case_of("gpt2", 2), "text-generation"), tmp_path)
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": "x"}')
    with pytest.raises(CheckpointError, match="eos_token_id"):
        headway.load(tmp_path)


def test_texts_end_where_the_context_does() -> None:
    model = writer("gpt2")  # which takes 24 tokens
    prompt = " ".join(["w1"] * 20)
    (found,) = model.generate_details([prompt], stop_tokens=())
    assert (found.stopped_by, found.tokens) == ("context", {"prompt": 20, "new": 4})
    (short,) = model.generate_details(["w1"], stop_tokens=())
    assert (short.stopped_by, len(short.ids)) == ("max_new_tokens", 20)
    with pytest.raises(ConfigError, match=r"a prompt of 20 tokens and 5 new ones. Allowed: 24"):
        model.generate([prompt], 5)
    with pytest.raises(ConfigError, match=r"a prompt of 24 tokens and 20 new ones. Allowed: 24"):
        model.generate([" ".join(["w1"] * 24)])
    with pytest.raises(ConfigError, match=r"a text of 25 tokens. Allowed: at most 24"):
        model.generate([" ".join(["w1"] * 25)])


def test_tokens_that_are_none_of_the_models() -> None:
    with pytest.raises(ConfigError, match=r"forced_first = 999. Allowed: token ids up to"):
        writer().generate(["w1"], forced_first=999)
    with pytest.raises(ConfigError, match=r"forced_last = 999"):
        writer().generate(["w1"], forced_last=(999,))
    assert writer().generate(["w1"], 2, stop_tokens=(999,)) == writer().generate(
        ["w1"], 2, stop_tokens=()
    )
