"""The training of the tutorial: learn language from plain text, then a task from few labels.

    python docs/tutorial/train.py TEXT TRAIN TEST

TEXT is any text file; TRAIN and TEST hold one `LABEL text` or `LABEL:finer text` a line.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.core.layout import Layout
from model import Config, Model

Pair = tuple[str, str]  # a label, a text
Example = tuple[list[int], int]  # the ids of a text, and the number of its label
LossFunction = Callable[[Model, list[Example]], Tensor]


class Vocabulary:
    """The most frequent words of some texts, numbered; the rest is [UNK]."""

    def __init__(self, texts: Iterable[str], size: int = 20_000) -> None:
        counts = Counter(word for text in texts for word in self.words(text))
        known = ["[UNK]", "[CLS]"] + [word for word, _ in counts.most_common(size - 2)]
        self.ids = {word: number for number, word in enumerate(known)}

    def words(self, text: str) -> list[str]:
        """Runs of letters and digits, and single signs."""
        return re.findall(r"\w+|[^\w\s]", text.lower())

    def encode(self, text: str) -> list[int]:
        """The words' numbers, and [CLS] behind them: the place where the task is answered."""
        return [self.ids.get(word, 0) for word in self.words(text)] + [1]


def read_labelled(path: Path, encoding: str) -> list[Pair]:
    """(label, text) of each line; `HUM:ind Who wrote ...` gives HUM."""
    lines = path.read_text(encoding).splitlines()
    pairs = [line.partition(" ") for line in lines if line.strip()]
    return [(label.partition(":")[0], text) for label, _, text in pairs]


def number(pairs: list[Pair], vocabulary: Vocabulary, labels: list[str]) -> list[Example]:
    """Labels and texts as numbers."""
    return [(vocabulary.encode(text), labels.index(label)) for label, text in pairs]


def pieces(text: str, vocabulary: Vocabulary, length: int) -> list[Example]:
    """A long text as examples of `length` tokens without a label, for pre-training."""
    ids = vocabulary.encode(text)
    return [(ids[start : start + length], 0) for start in range(0, len(ids), length)]


def batches(examples: list[Example], size: int) -> Iterator[list[Example]]:
    """All examples once, in random order, `size` at a time."""
    order = torch.randperm(len(examples)).tolist()
    for start in range(0, len(order), size):
        yield [examples[i] for i in order[start : start + size]]


def lay(batch: list[Example]) -> tuple[Tensor, Layout, Tensor]:
    """Texts laid end to end: ids [tokens], their layout, labels [texts]."""
    ids = torch.tensor([token for tokens, _ in batch for token in tokens])
    return ids, Layout.of([tokens for tokens, _ in batch]), torch.tensor([y for _, y in batch])


def language_loss(model: Model, batch: list[Example]) -> Tensor:
    """The loss of pre-training: predict the next word."""
    ids, layout, _ = lay(batch)
    return model.language_loss(model(ids, layout), ids, layout)


def task_loss(model: Model, batch: list[Example], language: float = 0.5) -> Tensor:
    """The loss of adaptation: the label, and still some language, against forgetting."""
    ids, layout, labels = lay(batch)
    states = model(ids, layout)
    loss = F.cross_entropy(model.classify(states, layout), labels)
    return loss + language * model.language_loss(states, ids, layout)


def train(
    model: Model, examples: list[Example], loss_of: LossFunction, *, epochs: int, rate: float
) -> float:
    """AdamW, the rate warmed up over the first tenth and then lowered to zero; the last loss."""
    size = 16
    steps = epochs * -(-len(examples) // size)
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / steps)
    )
    model.train()
    for _ in range(epochs):
        for batch in batches(examples, size):
            loss = loss_of(model, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
    return loss.item()


@torch.no_grad()
def error(model: Model, examples: list[Example]) -> float:
    """The share of texts whose label is not the model's first choice."""
    model.eval()
    wrong = 0
    for start in range(0, len(examples), 64):
        ids, layout, labels = lay(examples[start : start + 64])
        wrong += int((model.classify(model(ids, layout), layout).argmax(-1) != labels).sum())
    return wrong / len(examples)


def main() -> None:
    """Compares a model that has learned language first with one that has not."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("text", "train", "test"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--encoding", default="utf-8", help="of the labelled files")
    parser.add_argument("--words", type=int, default=5000, help="size of the vocabulary")
    parser.add_argument("--hidden", type=int, default=64, help="size of a hidden state")
    parser.add_argument("--layers", type=int, default=2, help="blocks")
    parser.add_argument("--epochs", type=int, nargs=2, default=(3, 3), help="over text, over train")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()

    text = given.text.read_text("utf-8")
    pairs, test_pairs = (read_labelled(path, given.encoding) for path in (given.train, given.test))
    vocabulary = Vocabulary([text, *(words for _, words in pairs)], given.words)
    labels = sorted({label for label, _ in pairs})
    examples = number(pairs, vocabulary, labels)
    test = number(test_pairs, vocabulary, labels)
    plain = pieces(text, vocabulary, length=64)
    config = Config(
        vocabulary=len(vocabulary.ids),
        hidden=given.hidden,
        layers=given.layers,
        positions=max(len(ids) for ids, _ in plain + examples + test),  # nothing is cut off
    )
    for start in ("scratch", "pre-trained"):
        torch.manual_seed(given.seed)
        model = Model(config)
        if start == "pre-trained":
            train(model, plain, language_loss, epochs=given.epochs[0], rate=2e-3)
        model.add_task_head(len(labels))
        train(model, examples, task_loss, epochs=given.epochs[1], rate=1e-3)
        print(f"{start}: {error(model, test):.1%} error")


if __name__ == "__main__":
    main()
