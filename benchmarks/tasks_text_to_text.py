"""Translation and summaries: an encoder-decoder from a checkpoint beside the same from scratch.

Each part is measured by name: `scripts/bench tasks_text_to_text translation summarization`. Both
starts see the same rows in the same order for as many steps, each at the best of its own rates.

The checkpoint's word pieces know neither capitals nor marks on letters, and cut German into crumbs.
Both starts have pieces learnt from the training rows in their place, and a small table of them.
Two thousand summaries are too few to learn what a decoder has to look at, from either start: both
would write one sentence for all texts. So both first mend noisy text of the training rows, by
`headway pretrain`'s denoising: single sentences, in which copying is learned within some hundred
steps (in whole abstracts it is not), then whole abstracts.
Where `different_texts` is small, a model has not learned to look at its source: scores then tell
one stock sentence from another, and the loss alone says anything.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from common import MODEL, keep, need_data
from torch import nn

import headway
from headway.checkpoints import Checkpoint, encoder_decoder_of
from headway.core.initial import initialise
from headway.data import Dataset
from headway.metrics import confidence_interval, permutation_test
from headway.model import Model
from headway.tasks import TASKS, Meaning
from headway.tokenizer import Tokenizer
from headway.training.collate import epoch_batches

STARTS = ("checkpoint", "scratch")
WINDOWS = (32, 256)
"""Tokens of a noisy text that is to be mended: about a sentence, then about an abstract."""
SHOWN = 3
"""Texts that are kept for people."""
EPOCHS = 10
"""Most passes over noisy sources; steps end them first."""
VALIDATION = 200
"""Rows that choose the rate."""

Splits = dict[str, Dataset]


def captions() -> Splits:
    """Multi30k, English to German; the test captions of 2016."""
    names = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
    return {
        part: Dataset.from_columns({"source": _lines(f"{name}.en"), "target": _lines(f"{name}.de")})
        for part, name in names.items()
    }


def abstracts() -> Splits:
    """SciTLDR: the sentences of an abstract, and one sentence or several that sum it up."""
    files = {"train": "train", "validation": "dev", "test": "test"}
    splits = {}
    for part, name in files.items():
        rows = headway.read(need_data("scitldr") / f"{name}.jsonl")
        assert isinstance(rows, Dataset)
        columns = {column: list(rows[column]) for column in ("source", "target")}
        splits[part] = Dataset.from_columns(columns)
    return splits


@dataclass(frozen=True)
class Part:
    """One task on one data set.

    Attributes:
        data: reads the rows.
        metrics: by which texts are judged.
        theirs: the same by the references' scorers: (texts, references of each) -> values.
        tokens: options of our metrics that make them those of the reference.
        words: pieces learnt from the training rows; 0 = the checkpoint's own.
        mends: steps of mending noisy sources before, in windows of each of WINDOWS; () = none.
        rows, epochs, tuned, judged: the usual sizes, see `main`.
    """

    data: Callable[[], Splits]
    metrics: tuple[str, ...]
    theirs: Callable[[list[str], list[list[str]]], dict[str, float]]
    tokens: dict[str, Any]
    words: int
    mends: tuple[int, ...]
    rows: int
    epochs: int
    tuned: int
    judged: int


def by_sacrebleu(texts: list[str], references: list[list[str]]) -> dict[str, float]:
    """BLEU and chrF as sacrebleu's functions give them; one reference a text."""
    import sacrebleu

    columns = [[one for (one,) in references]]
    return {
        "bleu": sacrebleu.corpus_bleu(texts, columns).score,
        "chrf": sacrebleu.corpus_chrf(texts, columns).score,
    }


def by_rouge_score(texts: list[str], references: list[list[str]]) -> dict[str, float]:
    """ROUGE as Google's rouge-score gives it, of the nearest reference."""
    from rouge_score.rouge_scorer import RougeScorer

    names = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(names)
    found = [scorer.score_multi(right, text) for text, right in zip(texts, references, strict=True)]
    return {name: sum(row[name].fmeasure for row in found) / len(found) for name in names}


PARTS: dict[str, Part] = {
    "translation": Part(
        captions, ("bleu", "chrf"), by_sacrebleu, {}, 8_000, (), 29_000, 3, 1_500, 1_000
    ),
    "summarization": Part(
        abstracts,
        ("rouge1", "rouge2", "rougeL"),
        by_rouge_score,
        {"tokenizer": "ascii"},
        8_000,
        (700, 500),
        1_992,
        3,
        600,
        618,
    ),
}


def main(asked: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rows", type=int, help="that train, the first ones")
    parser.add_argument("--epochs", type=int, help="over them")
    parser.add_argument("--tuned", type=int, help="training rows that find the rate of each start")
    parser.add_argument("--judged", type=int, help="test rows, the first ones")
    parser.add_argument("--batch-tokens", type=int, help="of sources in a step")
    parser.add_argument("--layers", type=int, default=3, help="of each stack, the lowest ones")
    parser.add_argument("--words", type=int, help="pieces to be learnt; 0 = the checkpoint's own")
    parser.add_argument(
        "--mend", type=int, nargs="*", help=f"steps of mending before, in windows of {WINDOWS}"
    )
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 1e-3, 2e-3])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(asked)
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no part {unknown.pop()}: {', '.join(PARTS)}")
    if len(options.mend or ()) > len(WINDOWS):
        parser.error(f"--mend takes steps for windows of {WINDOWS}, one number each")
    for name in options.parts or PARTS:
        keep(f"tasks_{name}", measured(name, options))


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Both starts trained, and judged on the same rows."""
    part = PARTS[name]
    splits = part.data()
    train = _first(splits["train"], options.rows or part.rows)
    few = _first(train, options.tuned or part.tuned)
    chosen_by = _first(splits["validation"], VALIDATION)
    test = _first(splits["test"], options.judged or part.judged)
    epochs = options.epochs or part.epochs
    words = part.words if options.words is None else options.words
    mends = part.mends if options.mend is None else tuple(options.mend)
    tokenizer = words_of(train, words)
    rates, losses, texts, mended = {}, {}, {}, {}
    for how in STARTS:
        begun = started(how, tokenizer, options.layers, options.seed)
        for window, steps in zip(WINDOWS, mends, strict=False):
            begun, loss = mending(begun, train, window, steps, options.seed)
            mended.setdefault(how, {})[f"{steps} steps in windows of {window}"] = loss
            print(how, "mends in windows of", window, "at a loss of", loss, flush=True)

        def learned(rows: Dataset, epochs: int, rate: float, begun: Model = begun) -> Model:
            settings = {"epochs": epochs, "lr": rate, "batch_tokens": options.batch_tokens}
            model = copy.deepcopy(begun)
            return trained(model, name, rows, _first(chosen_by, 1), options.seed, settings)

        found = {rate: loss_on(learned(few, 1, rate), name, chosen_by) for rate in options.rates}
        print(how, "loss on validation rows by rate", found, flush=True)
        model = learned(train, epochs, min(found, key=found.__getitem__))
        rates[how], losses[how] = found, loss_on(model, name, test)
        texts[how] = [answer["text"] for answer in headway.pipeline(name, model)(test)]
        print(how, losses[how], texts[how][:SHOWN], flush=True)
    right = [[row["target"]] if isinstance(row["target"], str) else row["target"] for row in test]
    return {
        "work": f"{name}: {len(train)} rows train, {len(test)} judge; {epochs} epochs"
        f"{f' behind {sum(mends)} steps of mending noisy sources' if mends else ''}; two stacks "
        f"of MiniLM-L6's first {options.layers} blocks with {_said(words)}, from its weights or "
        f"from random ones; each at the best of its rates by the loss on {len(chosen_by)} "
        f"validation rows behind one epoch of {len(few)} rows",
        "loss_of_mending": mended,
        "loss_by_rate": rates,
        "loss_of_a_target_token": losses,
        "different_texts": {how: len(set(texts[how])) for how in STARTS},
        "scores": judged(part, texts, right),
        "texts": [
            {"source": row["source"], "right": truth, **{how: texts[how][n] for how in STARTS}}
            for n, (row, truth) in enumerate(zip(_first(test, SHOWN), right, strict=False))
        ],
    }


def words_of(train: Dataset, words: int) -> Tokenizer | None:
    """So many word pieces of the training rows; None for 0 of them."""
    return headway.train_tokenizer(_texts(train), kind="wordpiece", size=words) if words else None


def _said(words: int) -> str:
    return f"{words} word pieces learnt from the training rows" if words else "its own word pieces"


def started(how: str, tokenizer: Tokenizer | None, layers: int, seed: int) -> Model:
    """Two stacks from one checkpoint's weights, or the same ones with fresh weights throughout."""
    torch.manual_seed(seed)
    one = headway.load(MODEL).checkpoint
    if tokenizer is not None:
        one = with_words(one, tokenizer)
    made = encoder_decoder_of(first_layers(one, layers))
    assert made.head is not None
    if how == "scratch":
        initialise(nn.ModuleList([made.body, made.head]), made.config.initial_std)
    return Model(made, source=how).eval()


def mending(model: Model, rows: Dataset, window: int, steps: int, seed: int) -> tuple[Model, float]:
    """The model behind learning to mend noisy sources, and its loss on held-out ones."""
    texts = [" ".join(one) for one in rows["source"]]
    if window == WINDOWS[0]:
        texts = [sentence for one in rows["source"] for sentence in one]
    made = headway.pretrain(
        model,
        Dataset.from_columns({"text": texts}),
        objective="denoise",
        noise="infilling",
        epochs=EPOCHS,
        max_steps=steps,
        window=min(window, model.longest or window),
        batch_tokens=1024,
        lr=1e-3,
        validation=0.02,
        seed=seed,
    )
    return made.model, made.report["after"]["held-out"]["loss"]


def with_words(checkpoint: Checkpoint, tokenizer: Tokenizer) -> Checkpoint:
    """The checkpoint with other word pieces, each the mean of the old ones that it is cut into.

    Source: Gee et al. 2022, "Fast Vocabulary Transfer for Language Model Compression".
    """
    old = checkpoint.tokenizer
    assert old is not None
    weights = dict(checkpoint.body.state_dict())
    table = weights["embeddings.words.weight"]
    rows = []
    for piece in sorted(tokenizer.vocabulary, key=tokenizer.vocabulary.__getitem__):
        known = old.vocabulary.get(piece.lower())
        if piece in old.special.values():
            known = old.vocabulary[piece]
        ids = (
            [known]
            if known is not None
            else old.encode(piece.removeprefix("##"), special=False).ids
        )
        rows.append(table[list(ids)].mean(dim=0) if ids else table.mean(dim=0))
    weights["embeddings.words.weight"] = torch.stack(rows)
    config = dataclasses.replace(checkpoint.config, vocabulary=len(rows))
    body = checkpoint.family.build(config)
    body.load_state_dict(weights)
    return dataclasses.replace(checkpoint, tokenizer=tokenizer, config=config, body=body)


def first_layers(checkpoint: Checkpoint, layers: int) -> Checkpoint:
    """The checkpoint with its lowest blocks alone, without those that know its old task best.

    Source: Sajjad et al. 2020, "On the Effect of Dropping Layers of Pre-trained Transformer
    Models", arXiv 2004.03844.
    """
    config = dataclasses.replace(checkpoint.config, layers=min(layers, checkpoint.config.layers))
    body = checkpoint.family.build(config)
    body.load_state_dict({name: checkpoint.body.state_dict()[name] for name in body.state_dict()})
    return dataclasses.replace(checkpoint, config=config, body=body)


def trained(
    model: Model, name: str, rows: Dataset, test: Dataset, seed: int, settings: dict[str, Any]
) -> Model:
    """Through `headway.adapt`; the state behind the last step."""
    return headway.adapt(
        model, rows, test=test, task=name, seed=seed, validation=0.0, baseline=False, **settings
    ).model


def loss_on(model: Model, name: str, rows: Dataset) -> float:
    """The cross-entropy of a target's token, the mean over all, in nats."""
    task = TASKS[name]
    meaning = Meaning(task.kinds[0])
    columns = task.columns(rows, text=None, pair=None, label=None)
    read = task.encode(model, task.inputs(rows, columns), size=model.longest, stride=None)
    targets = task.targets(model, read, rows["target"], meaning)
    whole, tokens = 0.0, 0
    with torch.inference_mode():
        for batch in epoch_batches(read, batch_tokens=2048, seed=0, most_windows=None):
            ready = task.collate(model, batch, targets, meaning)
            whole += float(sum(task.loss(model, ready, meaning)))
            tokens += int(ready.counts[0])
    return whole / tokens


def judged(part: Part, texts: dict[str, list[str]], right: list[list[str]]) -> dict[str, Any]:
    """Each metric of both, with intervals and the paired test, once the reference agrees."""
    theirs = {how: part.theirs(texts[how], right) for how in STARTS}
    scores = {}
    for name in part.metrics:
        values, intervals = {}, {}
        for how in STARTS:
            values[how] = headway.metric(name, texts[how], right, **part.tokens)[name]
            if abs(values[how] - theirs[how][name]) > 1e-6:
                raise SystemExit(
                    f"{name} of {how}: {values[how]}, the reference says {theirs[how][name]}"
                )
            intervals[how] = confidence_interval(name, texts[how], right, **part.tokens)
        paired = permutation_test(name, *(texts[how] for how in STARTS), right, **part.tokens)
        scores[name] = {
            **values,
            "confidence_interval_95": intervals,
            "difference": paired["difference"],
            "p_value": paired["p_value"],
        }
    return scores


def _lines(name: str) -> list[str]:
    with gzip.open(need_data("multi30k") / f"{name}.gz", "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def _texts(rows: Dataset) -> Iterator[str]:
    """Both sides of all rows."""
    for row in rows:
        for side in row.values():
            yield side if isinstance(side, str) else " ".join(side)


def _first(rows: Dataset, count: int) -> Dataset:
    return rows.select(range(min(count, len(rows))))


if __name__ == "__main__":
    main()
