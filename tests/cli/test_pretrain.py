"""`headway pretrain`: every option, what is printed, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from pretraining.texts import paragraphs

from headway import load
from headway.cli.pretrain import command

from .calls import error_of, headway

SMALL = ["--layers", "1", "--hidden", "32", "--heads", "2", "--vocabulary", "420", "--window", "48",
         "--batch-tokens", "480", "--max-steps", "4"]  # fmt: skip

OPTIONS = {
    "--objective": "masked",
    "--masking": "words",
    "--text": "text",
    "--encoding": "utf-8",
    "--format": "txt",
    "--sample-by": "line",
    "--validation": "0.2",
    "--epochs": "1",
    "--validate-seconds": "100",
    "--max-seconds": "100",
    "--lr": "0.001",
    "--micro-batch-tokens": "200",
    "--schedule": "linear",
    "--optimiser": "lion",
    "--dropout": "0.2",
    "--average": "0.9",
    "--sharding": "full",
    "--precision": "fp32",
    "--weights": "fp16",
    "--threads": "1",
    "--save-every": "100",
    "--seed": "3",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("raw") / "texts.txt"
    file.write_text("\n\n".join(paragraphs()), encoding="utf-8")
    return str(file)


def test_from_nothing_to_a_folder(corpus: str, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    said = headway("pretrain", "bert", corpus, "--out", out, *SMALL, *sum(OPTIONS.items(), ()))
    assert said.exit_code == 0, said.stderr
    assert "perplexity" in said.stdout and "headway adapt" in said.stdout
    assert load(out).task == "fill-mask"
    run = json.loads((Path(out) / "run.json").read_text("utf-8"))
    assert run["settings"]["seed"] == 3 and run["settings"]["masking"] == "words"


def test_every_option_is_run() -> None:
    tested = {*OPTIONS, *SMALL, "--out", "--json", "--resume", "--earlier", "--cased", "--noise",
              "--validate-every", "--tensorboard", "--checkpoint-activations",
              "--tokenizer"}  # fmt: skip
    there = {name for p in command.params if isinstance(p, click.Option) for name in p.opts}
    shared = {"--recipe", "--features"}  # run by test_file_options.py
    assert there - shared == {name for name in tested if name.startswith("--")}


def test_json_and_a_second_stage(corpus: str, tmp_path: Path) -> None:
    first = str(tmp_path / "first")
    one = headway("pretrain", "t5", corpus, "--out", first, *SMALL, "--noise", "spans", "--json")
    assert one.exit_code == 0, one.stderr
    assert json.loads(one.stdout)["objective"] == "denoise"
    second = headway("pretrain", first, corpus, "--out", str(tmp_path / "second"), "--max-steps",
                     "2", "--window", "48", "--earlier", corpus, "--resume", "--json")  # fmt: skip
    assert second.exit_code == 0, second.stderr
    assert json.loads(second.stdout)["forgotten"].keys() == {"texts"}


def test_earlier_texts_of_another_format(corpus: str, tmp_path: Path) -> None:
    new, old = tmp_path / "new.jsonl", tmp_path / "old.csv"
    rows = [json.dumps({"id": "a", "content": text}) for text in paragraphs(seed=3)]
    new.write_text("\n".join(rows), encoding="utf-8")
    old.write_text("body\n" + "\n".join(f'"{text}"' for text in paragraphs()), encoding="utf-8")
    run = ["--earlier", corpus, "--earlier", str(old), "--json", *SMALL, "--max-steps", "1"]
    found = headway("pretrain", "bert", str(new), "--out", str(tmp_path / "run"),
                    "--text", "content", "--format", "jsonl", *run)  # fmt: skip
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["forgotten"].keys() == {"texts", "old"}
    lines = headway("pretrain", "bert", corpus, "--out", str(tmp_path / "lines"),
                    "--sample-by", "line", "--text", "text", *run[2:])  # fmt: skip
    assert lines.exit_code == 0, lines.stderr


def test_a_tokenizer_that_is_there_and_one_with_capitals(corpus: str, tmp_path: Path) -> None:
    sizes = [*SMALL[:6], *SMALL[8:]]  # no vocabulary to be learnt
    cased = headway("pretrain", "bert", corpus, "--out", str(tmp_path / "a"), *SMALL, "--cased",
                    "--validate-every", "2", "--tensorboard",
                    "--checkpoint-activations")  # fmt: skip
    assert cased.exit_code == 0, cased.stderr
    given = headway("pretrain", "electra", corpus, "--out", str(tmp_path / "b"), *sizes,
                    "--tokenizer", str(tmp_path / "a"))  # fmt: skip
    assert given.exit_code == 0, given.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--objective", "causal"], "is no decoder"),
        (["--masking", "words", "--objective", "denoise"], "masking"),
        (["--tokenizer", "nowhere"], "nowhere"),
        (["--cased", "--tokenizer", "nowhere"], "one of the two"),
        (["--lr", "7"], "lr = 7"),
    ],
    ids=str,
)
def test_what_is_refused(arguments: list[str], said: str, corpus: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    found = headway("pretrain", "bert", corpus, "--out", str(out), "--max-steps", "2", *arguments)
    assert said in error_of(found)
    assert not out.exists()
