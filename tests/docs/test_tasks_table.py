"""README's table of tasks: every line of it runs, with tiny models and small files."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from cli.calls import headway as call
from clip_files import clip_folder
from PIL import Image

import headway
from headway.checkpoints import Checkpoint
from headway.core.initial import initialise
from headway.families import FAMILIES
from headway.model import Model
from headway.tasks import TASKS
from headway.tokenizer import Tokenizer

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "files"

TABLE = re.search(
    "<!-- tasks:begin -->\n(.*?)<!-- tasks:end -->", (ROOT / "README.md").read_text("utf-8"), re.S
)
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|\n").split("|")]
    for line in (TABLE.group(1).splitlines()[2:] if TABLE else [])
]

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def words() -> list[str]:
    """Every word of the files, and what is asked in the table."""
    text = " ".join(path.read_text("utf-8") for path in sorted(FILES.iterdir()))
    return sorted({*re.findall(r"\w+|[^\w\s]", text + str(ROWS))})


def tokenizer() -> Tokenizer:
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *words()])}
    document: dict[str, Any] = {
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocabulary},
        "added_tokens": [
            {"id": n, "content": token, "special": True, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False}
            for n, token in enumerate(SPECIAL)
        ],
    }  # fmt: skip
    roles = {"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "unk": "[UNK]", "mask": "[MASK]"}
    return Tokenizer.from_document(
        document, {f"{role}_token": token for role, token in roles.items()}
    )


def write_model(kind: str, folder: Path) -> None:
    """A random model of two layers of 32 with the words of the files."""
    family, tokens = FAMILIES[kind], tokenizer()
    sizes = {"hidden": 32, "layers": 2, "heads": 2, "inner": 64, "positions": 64}
    config = family.Config(vocabulary=len(tokens.vocabulary), **sizes)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        body = family.build(config)
        initialise(body, 0.1)
    values = {"model_type": kind, "eos_token_id": 3, "bos_token_id": 2}
    Model(Checkpoint(family, config, body, tokenizer=tokens, values=values)).save(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    for file in FILES.iterdir():
        shutil.copy(file, folder)
    write_model("bert", folder / "MODEL")
    write_model("gpt2", folder / "DECODER")
    clip_folder(folder / "CLIP")
    Image.new("RGB", (40, 30), "grey").save(folder / "cat.png")
    return folder


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].partition(":")[0])
def test_a_row_of_the_table(row: list[str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    _, learn, use = row
    if learn:
        program, *arguments = shlex.split(learn)
        assert program == "headway"
        done = call(*arguments, "--epochs", "1", "--precision", "fp32")
        assert done.exit_code == 0, done.stderr
    answer = eval(use, {"headway": headway, "Path": Path})  # noqa: S307  # our own README
    assert answer is not None


def test_every_task_has_a_row() -> None:
    told = " ".join(cell for row in ROWS for cell in row[1:])
    for task in TASKS:
        assert task == "text-classification" or f"--task {task} " in told, task
