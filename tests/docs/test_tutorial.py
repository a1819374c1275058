"""The tutorial's model and training keep their promises, and transfer is worth it."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from headway.core.layout import Layout

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"
SHARED = ROOT.parent / "shared" / "data"
TOPICS = ("sea", "farm", "law", "star")


@pytest.fixture(scope="module")
def tutorial() -> Iterator[SimpleNamespace]:
    """The names of model.py and train.py, imported as a reader in their folder would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TUTORIAL)
        import model
        import train

        yield SimpleNamespace(**{**vars(model), **vars(train)})
        for name in ("model", "train"):
            del sys.modules[name]


@pytest.fixture
def small(tutorial: SimpleNamespace) -> torch.nn.Module:
    torch.manual_seed(0)
    model = tutorial.Model(tutorial.Config(50, hidden=16, heads=2, layers=2, positions=32))
    return model.eval()


def words(topic: str, numbers: range, count: int, chance: random.Random) -> str:
    return " ".join(f"{topic}{chance.choice(numbers)}" for _ in range(count))


def planted() -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """Plain text in which a topic's words stand together; labels for a few words; the rest to test.

    Only the plain text says that `sea30` goes with `sea1`.
    """
    chance = random.Random(0)
    runs = [words(chance.choice(TOPICS), range(40), 40, chance) for _ in range(400)]
    train = [(topic, words(topic, range(12), 6, chance)) for topic in TOPICS * 8]
    test = [(topic, words(topic, range(12, 40), 6, chance)) for topic in TOPICS * 25]
    return "\n".join(runs), train, test


def test_no_token_sees_a_later_one_or_another_text(small: torch.nn.Module) -> None:
    text, mate = torch.tensor([3, 4, 5, 6]), torch.tensor([7, 8])
    whole = small(torch.cat([text, mate]), Layout((4, 2)))
    start = small(text[:2], Layout((2,)))
    alone = small(mate, Layout((2,)))
    torch.testing.assert_close(whole[:2], start)
    torch.testing.assert_close(whole[4:], alone)


def test_language_loss_is_the_mean_over_all_next_tokens(small: torch.nn.Module) -> None:
    texts = [[3, 4, 5, 6], [7], [8, 9]]
    layout = Layout.of(texts)
    ids = torch.tensor([token for text in texts for token in text])
    found = small.language_loss(small(ids, layout), ids, layout)
    losses = []
    for text in texts:
        states = small(torch.tensor(text), Layout((len(text),)))
        for state, following in zip(states, text[1:], strict=False):
            losses.append(F.cross_entropy(small.language_head(state), torch.tensor(following)))
    torch.testing.assert_close(found, torch.stack(losses).mean())


def test_one_table_for_reading_and_predicting(small: torch.nn.Module) -> None:
    assert small.language_head.weight is small.body.embeddings.words.weight
    assert sum(p.numel() for p in small.parameters()) < 10_000


def test_adapters_change_nothing_until_they_learn_and_only_they_learn(
    tutorial: SimpleNamespace, small: torch.nn.Module
) -> None:
    ids, layout = torch.tensor([3, 4, 5]), Layout((3,))
    before = small(ids, layout)
    old = [(parameter, parameter.detach().clone()) for parameter in small.parameters()]
    tutorial.freeze(small)
    tutorial.add_adapters(small, inner=4)
    torch.testing.assert_close(small(ids, layout), before)

    small.add_task_head(2)
    tutorial.train(small, [([3, 4], 0), ([5, 6], 1)] * 8, tutorial.task_loss, epochs=2, rate=0.1)
    assert not torch.allclose(small.eval()(ids, layout), before)
    assert all(torch.equal(parameter, value) for parameter, value in old)
    learned = [parameter for parameter in small.parameters() if parameter.requires_grad]
    assert len(learned) == 2 * 4 + 2  # an adapter of four tensors in both blocks, and the head


def test_words_become_numbers(tutorial: SimpleNamespace) -> None:
    vocabulary = tutorial.Vocabulary(["A cat, a dog."], size=4)
    assert vocabulary.ids == {"[UNK]": 0, "[CLS]": 1, "a": 2, "cat": 3}
    assert vocabulary.encode("A cat ?") == [2, 3, 0, 1]
    assert tutorial.pieces("a a a", vocabulary, length=3) == [([2, 2, 2], 0), ([1], 0)]


def test_labels_are_read(tutorial: SimpleNamespace, tmp_path: Path) -> None:
    file = tmp_path / "a.label"
    file.write_text("HUM:ind Who was Zoë ?\nNUM 1 : 2\n\n", encoding="latin-1")
    assert tutorial.read_labelled(file, "latin-1") == [("HUM", "Who was Zoë ?"), ("NUM", "1 : 2")]


def test_batches_hold_every_example_once(tutorial: SimpleNamespace) -> None:
    examples = [([number], number) for number in range(7)]
    batches = list(tutorial.batches(examples, 3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert sorted(example for batch in batches for example in batch) == examples


def test_what_was_learned_from_plain_text_carries_over(tutorial: SimpleNamespace) -> None:
    """Words that no label was seen for: nothing to go by without pre-training."""
    text, train, test = planted()
    vocabulary = tutorial.Vocabulary([text])
    examples, unseen = (tutorial.number(pairs, vocabulary, TOPICS) for pairs in (train, test))
    errors = {}
    for start in ("scratch", "pre-trained"):
        torch.manual_seed(0)
        model = tutorial.Model(tutorial.Config(len(vocabulary.ids), hidden=32, heads=2, layers=1))
        if start == "pre-trained":
            plain = tutorial.pieces(text, vocabulary, length=40)
            tutorial.train(model, plain, tutorial.language_loss, epochs=6, rate=1e-2)
        model.add_task_head(len(TOPICS))
        tutorial.train(model, examples, tutorial.task_loss, epochs=10, rate=3e-3)
        errors[start] = tutorial.error(model, unseen)
    assert errors["pre-trained"] < 0.2 < 0.5 < errors["scratch"], errors


def run(*arguments: object) -> dict[str, float]:
    """The script's output: start -> error in percent."""
    command = [sys.executable, str(TUTORIAL / "train.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^(.+): ([\d.]+)% error$", done.stdout, re.MULTILINE))
    assert list(found) == ["scratch", "pre-trained"], done.stdout
    return {start: float(error) for start, error in found.items()}


def test_the_script_compares_both(tmp_path: Path) -> None:
    text, *labelled = planted()
    paths = [tmp_path / name for name in ("plain.txt", "train.label", "test.label")]
    paths[0].write_text(text[:2000])
    for path, pairs in zip(paths[1:], labelled, strict=True):
        path.write_text("".join(f"{label} {line}\n" for label, line in pairs))
    found = run(*paths, "--hidden", 16, "--layers", 1, "--epochs", 1, 1)
    assert all(0 <= error <= 100 for error in found.values())


@pytest.mark.slow
def test_the_script_on_real_text(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("no public data sets beside this checkout")
    trec, plain = SHARED / "trec", tmp_path / "plain.txt"
    plain.write_text((SHARED / "wikitext-2" / "valid.txt").read_text("utf-8")[:400_000], "utf-8")
    found = run(
        plain,
        trec / "train_5500.label",
        trec / "TREC_10.label",
        *("--encoding", "latin-1", "--words", 2000, "--epochs", 1, 2),
    )
    # The most frequent of the six labels of the test file is wrong for 72.4%.
    assert max(found.values()) < 30, found
