from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
import tokenizers
import transformers

from headway.cli.terminal import trained
from headway.cli.tokenizer import command
from headway.tokenizer import Tokenizer
from headway.tokenizer.training import KINDS, SPLITS, bar

from .calls import document, error_of, headway, start

TEXT = "The cat sat on the mat.\nThe dog, too, sat on the mat!\n" * 20
FILES = ["tokenizer.json", "tokenizer_config.json"]


@pytest.fixture
def texts(tmp_path: Path) -> str:
    path = tmp_path / "texts.txt"
    path.write_text(TEXT, "utf-8")
    return str(path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_saved_and_used(texts: str, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "new" / kind
    told = document(
        headway("tokenizer", "train", texts, "--kind", kind, "--size", "290", "--out", str(out),
                "--lowercase", "--special", "<new>", "--json")
    )  # fmt: skip
    assert names(out) == FILES
    tok = Tokenizer.load(out)
    assert (told["kind"], told["size"], told["folder"]) == (kind, len(tok), str(out))
    assert (told["texts"], told["bytes"]) == (40, len(TEXT))
    assert 1 <= told["tokens_per_word"] < 4
    assert tok.encode("THE Cat<new>").tokens[-1 - (kind == "wordpiece")] == "<new>"
    peer = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    fast = transformers.AutoTokenizer.from_pretrained(out)
    assert peer.encode(TEXT).ids == fast(TEXT).input_ids == tok.encode(TEXT).ids
    shown = headway("tokenizer", "encode", str(out), "The cat")
    assert shown.stdout.split() == [str(id) for id in tok.encode("The cat").ids]


def test_what_is_said(texts: str, tmp_path: Path) -> None:
    out = tmp_path / "a b"
    result = headway("tokenizer", "train", texts, texts, "--size", "300", "--out", str(out))
    said = " ".join(result.stdout.split())
    assert result.exit_code == 0
    assert said.startswith("Learnt 2")
    assert "tokens per word. Saved in" in said
    assert said.endswith(f"Next: headway tokenizer show '{out}' \"your text\"")
    assert "the texts give 2" in result.stderr and "fewer than the 300 asked for" in result.stderr


def test_options_reach_the_training(texts: str, tmp_path: Path) -> None:
    def vocabulary(*options: str) -> dict[str, int]:
        out = str(tmp_path / "out")
        done = headway("tokenizer", "train", texts, "--out", out, "--threads", "1", *options)
        assert done.exit_code == 0, done.stderr
        return Tokenizer.load(out).vocabulary

    assert "Ġmat" in vocabulary()
    assert "Ġmat" not in vocabulary("--min-frequency", "99")
    assert "!" in vocabulary("--split", "gpt-4", "--memory", "1")
    assert "!" not in vocabulary("--kind", "bpe", "--coverage", "0.9")
    assert "<0x00>" in vocabulary("--kind", "bpe", "--byte-fallback")


def choices(option: str) -> list[str]:
    train = command.commands["train"]
    (found,) = [parameter for parameter in train.params if parameter.name == option]
    assert isinstance(found.type, click.Choice)
    return list(found.type.choices)


def test_the_choices_are_those_there_are() -> None:
    assert choices("kind") == list(KINDS)
    assert choices("split") == list(SPLITS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["absent.txt"], "absent.txt cannot be read: No such file or directory."),
        (["TEXTS", "--size", "20"], "size 20 has no room for the 257 tokens"),
        (["TEXTS", "--kind", "nothing"], "'nothing' is not one of"),
        (["TEXTS", "--coverage", "0.5"], "coverage means nothing to a tokenizer of kind byte-bpe"),
        (["EMPTY"], "the texts hold no word to learn from"),
        (["LATIN"], "line 2: byte 7 of the file is 0xef, which is not UTF-8. Next: iconv"),
        ([], "Missing argument"),
    ],
)
def test_wrong_input(texts: str, tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "latin.txt").write_bytes(b"fine\nna\xefve\n")
    files = {"TEXTS": texts, "EMPTY": str(tmp_path / "empty.txt")}
    files["LATIN"] = str(tmp_path / "latin.txt")
    out = tmp_path / "out"
    given = [files.get(option, option) for option in options]
    assert said in error_of(headway("tokenizer", "train", *given, "--out", str(out)))
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_said_before_the_work(texts: str) -> None:
    for out in (texts, f"{texts}/under/it"):
        said = error_of(headway("tokenizer", "train", "not-even-read.txt", "--out", out))
        assert said == f"{texts} is a file. Next: name another folder."
    said = error_of(headway("tokenizer", "train", texts, "--out", "/proc/new"))
    assert said.startswith("/proc/new cannot be written: ")


def test_nothing_is_half_written(
    texts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert headway("tokenizer", "train", texts, "--out", str(out)).exit_code == 0
    before = (out / "tokenizer.json").read_bytes()

    def save(self: Tokenizer, folder: Path) -> None:
        (folder / "tokenizer.json").write_text("{")
        raise KeyboardInterrupt

    monkeypatch.setattr(trained.Tokenizer, "save", save)
    done = headway("tokenizer", "train", texts, "--size", "280", "--out", str(out))
    assert error_of(done) == "interrupted"
    assert (out / "tokenizer.json").read_bytes() == before
    assert names(out) == FILES


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    # A pipe that is never closed: the command waits for more, as for a file that is very long.
    pipe = tmp_path / "pipe"
    subprocess.run(["mkfifo", pipe], check=True)
    out = tmp_path / "out"
    process = start("tokenizer", "train", str(pipe), "--out", str(out), stderr=subprocess.PIPE)
    with pipe.open("wb", buffering=0) as writer:
        writer.write(b"some text\n" * 100)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.decode().splitlines()[-1] == "headway: error: interrupted"
    assert not out.exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(bar, "PATIENCE", 0)
    with bar.Bar(1000) as progress:
        progress("counting", 500, 0)
        progress("merging", 3, 10)
    assert "counting words" in shown.getvalue()
    assert "merging pairs" in shown.getvalue()
    assert "30%" in shown.getvalue()


def test_others_see_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, patience in ((io.StringIO(), 0), (Terminal(), 60)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(bar, "PATIENCE", patience)
        with bar.Bar() as progress:
            progress("counting", 500, 0)
        assert stream.getvalue() == ""


def test_the_config_names_the_roles(texts: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    headway("tokenizer", "train", texts, "--kind", "wordpiece", "--out", str(out))
    config: dict[str, Any] = json.loads((out / "tokenizer_config.json").read_text())
    assert config["mask_token"] == "[MASK]"
    assert config["unk_token"] == "[UNK]"
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
