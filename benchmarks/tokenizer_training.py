"""Training of tokenizers beside peers: seconds, peak memory, and what the vocabularies are worth.

Each trainer reads the same file in a fresh process on as many cores as it has threads; rounds
alternate between trainers, and medians are kept. Byte-level BPE is compared token by token, the
others by the tokens they need for text that none of them has seen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from common import keep
from corpus import FOLDER, english

PEERS = {
    "gigabpe": "gigabpe==0.1.0",
    "sentencepiece": "sentencepiece==0.2.3",
    "tokenizers": "tokenizers==0.23.3",
}
WORKS = {
    "byte-level BPE": (100, 30_000, ["headway", "gigabpe", "tokenizers"]),
    "BPE": (100, 30_000, ["headway", "sentencepiece"]),
    "Unigram": (20, 32_000, ["headway", "sentencepiece", "tokenizers"]),
    "WordPiece": (100, 30_000, ["headway", "tokenizers"]),
}
"""Megabytes of English, size of the vocabulary, trainers."""

SLOW = {("Unigram", "tokenizers"), ("Unigram", "sentencepiece")}
"""Are run once."""

Found = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=WORKS, help="one of the tables")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(*options.child)
        return
    _install_peers()
    works = list(WORKS) if options.only is None else [options.only]
    results = {work: _table(work, options.rounds, options.threads) for work in works}
    suffix = f"_{options.only}".replace(" ", "_").replace("-", "_") if options.only else ""
    keep(f"tokenizer_training{suffix}", {"peers": PEERS, "threads": options.threads, **results})


def _table(work: str, rounds: int, threads: int) -> list[Found]:
    megabytes, size, names = WORKS[work]
    _write_texts(megabytes)
    runs: dict[str, list[Found]] = {name: [] for name in names}
    for number in range(rounds):
        for name, found in runs.items():
            if number == 0 or (work, name) not in SLOW:
                found.append(_measure(work, name, threads))
                print(work, name, found[-1], file=sys.stderr, flush=True)
    return [
        {
            **found[0],
            "trainer": name,
            "megabytes": megabytes,
            "size": size,
            "seconds": median([run["seconds"] for run in found]),
            "peak_memory_mb": median([run["peak_memory_mb"] for run in found]),
            "runs": len(found),
        }
        for name, found in runs.items()
    ]


def _write_texts(megabytes: int) -> None:
    """The file to learn from, and one of 5 MB from the end of the corpus."""
    if _texts(megabytes).exists() and _unseen().exists():
        return
    column = english()
    for path, rows, most in (
        (_texts(megabytes), range(len(column)), megabytes * 1_000_000),
        (_unseen(), range(len(column) - 1, 0, -1), 5_000_000),
    ):
        size = 0
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                text = column[row].as_py() + "\n"
                size += len(text.encode())
                if size > most:
                    break
                file.write(text)


def _texts(megabytes: int) -> Path:
    return FOLDER / f"training-{megabytes}.txt"


def _unseen() -> Path:
    return FOLDER / "training-unseen.txt"


def _measure(work: str, name: str, threads: int) -> Found:
    command = [sys.executable, __file__, "--child", work, name, str(threads)]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    if name in PEERS:
        paths = [str(_peer(name)), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{work}, {name}: {done.stderr.strip()[-500:]}")
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found


def _child(work: str, name: str, threads: str) -> None:
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: int(threads)]))
    megabytes, size, _ = WORKS[work]
    text = str(_texts(megabytes))
    start = time.perf_counter()
    measure = TRAINERS[name](work, text, size, int(threads))
    seconds = time.perf_counter() - start
    peak = _peak_memory_mb()
    print(json.dumps({"seconds": seconds, "peak_memory_mb": peak, **measure()}))


def _peak_memory_mb() -> float:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _install_peers() -> None:
    for name, wanted in PEERS.items():
        if not _peer(name).exists():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            subprocess.run([*command, "--target", str(_peer(name)), wanted], check=True)


def _peer(name: str) -> Path:
    return FOLDER / "peers" / name


# The trainers: (work, file, size, threads) -> what then measures the vocabulary.


def _headway(work: str, text: str, size: int, threads: int) -> Callable[[], Found]:
    from headway import train_tokenizer

    kind = {"byte-level BPE": "byte-bpe"}.get(work, work.lower())
    tok = train_tokenizer(text, kind=kind, size=size, threads=threads)
    document = tok._document  # the model, without writing it

    def measure() -> Found:
        if work == "byte-level BPE":
            return _digest(document["model"])
        import pyarrow as pa

        rows = tok.encode_arrow(pa.array(_unseen_lines()), special=False)
        return _tokens(len(rows.column("ids").values))

    return measure


def _tokenizers(work: str, text: str, size: int, threads: int) -> Callable[[], Found]:
    import tokenizers
    from tokenizers import models, normalizers, trainers
    from tokenizers import pre_tokenizers as pre

    common: dict[str, Any] = {"vocab_size": size, "show_progress": False}
    if work == "byte-level BPE":
        tok = tokenizers.Tokenizer(models.BPE())
        tok.pre_tokenizer = pre.ByteLevel(add_prefix_space=False)
        common |= {"special_tokens": ["<|endoftext|>"], "min_frequency": 2}
        trainer = trainers.BpeTrainer(initial_alphabet=pre.ByteLevel.alphabet(), **common)
    elif work == "WordPiece":
        tok = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tok.normalizer = normalizers.BertNormalizer(lowercase=False)
        tok.pre_tokenizer = pre.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        common |= {"special_tokens": special, "min_frequency": 2}
        trainer = trainers.WordPieceTrainer(limit_alphabet=1000, **common)
    else:
        tok = tokenizers.Tokenizer(models.Unigram())
        tok.normalizer = normalizers.NFKC()
        tok.pre_tokenizer = pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()])
        trainer = trainers.UnigramTrainer(
            unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>"], **common
        )
    tok.train([text], trainer)

    def measure() -> Found:
        if work == "byte-level BPE":
            return _digest(json.loads(tok.to_str())["model"])
        lines = tok.encode_batch(_unseen_lines(), add_special_tokens=False)
        return _tokens(sum(len(line.ids) for line in lines))

    return measure


def _gigabpe(work: str, text: str, size: int, threads: int) -> Callable[[], Found]:
    import gigabpe

    out = FOLDER / "training-gigabpe.json"
    gigabpe.train_tokenizer(
        [text],
        size,
        str(out),
        pretokenizer="bytelevel",
        special_tokens=["<|endoftext|>"],
        min_frequency=2,
        threads=threads,
    )
    return lambda: _digest(json.loads(out.read_text("utf-8"))["model"])


def _sentencepiece(work: str, text: str, size: int, threads: int) -> Callable[[], Found]:
    import sentencepiece

    prefix = FOLDER / "training-sentencepiece"
    sentencepiece.SentencePieceTrainer.train(
        input=text,
        model_prefix=str(prefix),
        vocab_size=size,
        model_type=work.lower(),
        normalization_rule_name="nfkc",
        num_threads=threads,
        max_sentence_length=1 << 20,
        minloglevel=2,
    )

    def measure() -> Found:
        made = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
        return _tokens(sum(map(len, made.encode(_unseen_lines(), num_threads=threads))))

    return measure


TRAINERS = {
    "headway": _headway,
    "gigabpe": _gigabpe,
    "sentencepiece": _sentencepiece,
    "tokenizers": _tokenizers,
}


def _unseen_lines() -> list[str]:
    lines = _unseen().read_text("utf-8").split("\n")
    return [line for line in lines if line.strip()]


def _tokens(count: int) -> Found:
    words = sum(len(line.split()) for line in _unseen_lines())
    return {"tokens_per_word_of_unseen_text": count / words}


def _digest(model: dict[str, Any]) -> Found:
    """A hash of the merges in their order, and of the vocabulary."""
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    written = json.dumps([merges, sorted(model["vocab"].items())])
    return {"vocabulary": hashlib.sha256(written.encode()).hexdigest()[:16]}


if __name__ == "__main__":
    main()
