from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adaptation.quick import quick
from cli.tiny import write_model
from training.steps import mean_of
from training.tiny import SIGNS, WORDS, tiny_model

from headway import Dataset, evaluate, load, pipeline
from headway.adaptation import Result
from headway.errors import ConfigError, DataError
from headway.heads.losses import cosine_regression, in_batch_negatives
from headway.metrics import hits_at_k, mrr
from headway.tasks import TASKS, Meaning
from headway.tasks.pairs.scores import nearest_seconds, score_retrieval
from headway.training.collate import Batch, epoch_batches

TASK = TASKS["sentence-similarity"]
NAME = "sentence-similarity"


def texts_with(sign: str, draw: random.Random) -> str:
    words = draw.choices(WORDS[:6], k=draw.randint(1, 4))
    words.insert(draw.randint(0, len(words)), sign)
    return " ".join(words)


def similar_rows(n: int = 80, *, seed: int = 0) -> Dataset:
    """Two texts are alike, 5 of 5, where they have the same sign."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        a, b = draw.choice(SIGNS), draw.choice(SIGNS)
        score = 5.0 if a == b else 1.0
        rows.append({"sentence1": texts_with(a, draw), "sentence2": texts_with(b, draw),
                     "score": score})  # fmt: skip
    return Dataset.from_rows(rows, name="alike")


def partner_rows(n: int = 80, *, seed: int = 0) -> Dataset:
    """A word's partner is the word ten places on."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        first = draw.sample(range(10), k=3)
        rows.append({"anchor": " ".join(WORDS[k] for k in first),
                     "positive": " ".join(WORDS[k + 10] for k in first)})  # fmt: skip
    return Dataset.from_rows(rows, name="partners")


def learned(kind: str, out: Path | None = None, **settings: Any) -> Result:
    make = similar_rows if kind == "similarity" else partner_rows
    usual = {"task": NAME, "epochs": 15, "lr": 5e-3, "out": out, "batch_tokens": 200}
    return quick(data=make(120), test=make(40, seed=1), **{**usual, **settings})


@pytest.fixture(scope="module", params=["similarity", "pairs"])
def run(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Result]:
    out = tmp_path_factory.mktemp("similar") / "run"
    return request.param, out, learned(request.param, out, baseline=True)


def test_a_pattern_is_learned_saved_and_measured_again(run: tuple[str, Path, Result]) -> None:
    kind, out, result = run
    report = result.report
    assert report["kind"] == kind and report["label_names"] == []
    main = TASK.main(kind)
    most = 0.82 if kind == "similarity" else 1.0  # ranks of two values cannot agree more
    assert report["test"][main] > 0.9 * most and report["test"][main] > report["baseline"][main]
    make = similar_rows if kind == "similarity" else partner_rows
    again = evaluate(out, make(40, seed=1))
    assert again["test"] == report["test"] and again["kind"] == kind
    assert (out / "report.html").is_file()
    assert '(("a text", "another text"))' in (out / "README.md").read_text()


def test_the_saved_model_embeds(run: tuple[str, Path, Result]) -> None:
    _, out, result = run
    model = load(out)
    assert model.task is None and model.checkpoint.embedding.declared
    vectors = model.embed(["w1 red", "w2 w3"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors, result.model.embed(["w1 red", "w2 w3"]), atol=1e-6)
    answer = pipeline(out)(("w1 red", "w2 w3"))
    assert answer["score"] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-6)
    assert answer["tokens"] == {"used": 4, "total": 4, "windows": 2}


def test_pooling_is_declared_for_those_who_open_the_folder(tmp_path: Path) -> None:
    learned("similarity", tmp_path / "run", epochs=1, pooling="first")
    modules = json.loads((tmp_path / "run/modules.json").read_text())
    assert [one["type"].rpartition(".")[2] for one in modules][:2] == ["Transformer", "Pooling"]
    assert load(tmp_path / "run").checkpoint.embedding.pooling == "first"


def test_whatever_the_pipeline_is_given(tmp_path: Path) -> None:
    ask = pipeline(NAME, tiny_model())
    pairs = [("w1 red", "w2"), ("w3", "w1 red"), ("", "w4")]
    found = ask(pairs)
    assert [ask(pair)["score"] for pair in pairs] == pytest.approx(
        [one["score"] for one in found], abs=1e-5
    )
    assert [one["score"] for one in ask(iter(pairs))] == [one["score"] for one in found]
    rows = [{"sentence1": a, "sentence2": b} for a, b in pairs]
    assert ask(Dataset.from_rows(rows)) == found
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert ask(tmp_path / "rows.jsonl") == found
    many = ask("w1 red", ["w2", "w1 red", "w3 w4"])
    assert many[1]["score"] == pytest.approx(1.0, abs=1e-5)
    assert many[0]["score"] == pytest.approx(found[0]["score"], abs=1e-5)
    assert ask([]) == [] and ask("w1", []) == []
    for wrong in (["w1", "w2"], "w1", [("w1", "w2", "w3")]):
        with pytest.raises(ConfigError, match="a pair of texts"):
            ask(wrong)


def test_a_text_that_is_there_often_is_read_once() -> None:
    model, seen = tiny_model(), 0
    read = model.read_each

    def watched(texts: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal seen
        seen += len(texts)
        return read(texts, *arguments, **options)

    model.read_each = watched  # type: ignore[method-assign]
    pipeline(NAME, model)("w1 red", ["w2", "w3", "w2"])
    assert seen == 3


def test_a_long_text_is_read_in_windows() -> None:
    model = tiny_model()
    long, short = " ".join(WORDS * 5), "w1 red"
    answer = pipeline(NAME, model)((long, short))
    assert answer["tokens"]["total"] == 102 and answer["tokens"]["windows"] > 4
    a, b = model.embed([long, short])
    assert answer["score"] == pytest.approx(float(a @ b), abs=1e-5)


def test_a_pair_is_as_long_as_its_longer_text() -> None:
    model = tiny_model()
    short, long = TASK.encode(model, [("w1", "w2 w3"), (" ".join(WORDS), "w1")], size=12, stride=2)
    assert (short.tokens, short.longest, short.most_windows) == (3, 2, 1)
    assert (long.tokens, long.longest) == (len(WORDS) + 1, len(WORDS))
    assert long.most_windows == len(long.ids) - 1 > 1


def test_training_sees_what_predicting_sees() -> None:
    """The loss of a batch in windows is that of the vectors which `embed` gives."""
    model = tiny_model()
    pairs = [("w1 red w2", "w3"), (" ".join(WORDS * 3), "w5 w6"), ("w7", " ".join(WORDS * 2))]
    texts = TASK.encode(model, pairs, size=24, stride=4)
    (batch,) = epoch_batches(texts, batch_tokens=10**6, seed=0, most_windows=None)
    targets = TASK.targets(tiny_model(), texts, [0.5, 0.0, 1.0], Meaning("similarity"))
    loss = mean_of(TASK, model, batch, targets, Meaning("similarity"))
    first, second = (
        torch.from_numpy(np.stack([found[side] for found in TASK.read(
            model, texts, Meaning("similarity"), batch_tokens=99, what="")])) for side in (0, 1)
    )  # fmt: skip
    wanted = cosine_regression(first, second, targets.values).mean()
    torch.testing.assert_close(loss, wanted, atol=1e-5, rtol=1e-5)
    assert loss.requires_grad


def test_a_batch_draws_windows_of_both_texts() -> None:
    model = tiny_model()
    texts = TASK.encode(model, [(" ".join(WORDS * 9), " ".join(WORDS * 5))], size=24, stride=4)
    (batch,) = epoch_batches(texts, batch_tokens=10**6, seed=0, most_windows=2)
    assert len(batch.numbers[0]) == 4
    assert sum(number < texts[0].first for number in batch.numbers[0]) == 2


def test_the_same_text_in_another_row_is_no_negative() -> None:
    model = tiny_model()
    pairs = [("w1", "w2"), ("w1", "w3"), ("w4", "w2"), ("w5", "w6")]
    texts = TASK.encode(model, pairs, size=24, stride=None)
    targets = TASK.targets(tiny_model(), texts, [None] * 4, Meaning("pairs"))
    assert targets.values.tolist() == [[0, 1], [0, 2], [3, 1], [4, 5]]
    batch = Batch([0, 1, 2], [w for t in texts[:3] for w in t.ids],
                  [s for t in texts[:3] for s in t.segments], [[0, 1]] * 3)  # fmt: skip
    loss = mean_of(TASK, model, batch, targets, Meaning("pairs"))
    vectors = torch.from_numpy(model.embed([text for pair in pairs[:3] for text in pair]))
    cosines = vectors[0::2] @ vectors[1::2].T / 0.05
    # Row 0 has its own; row 1 and 2 each keep one wrong answer: (w1, w3) is none of w4's.
    wanted = [torch.tensor(0.0)]
    wanted += [torch.logsumexp(cosines[1, [1]], 0) - cosines[1, 1]]
    wanted += [torch.logsumexp(cosines[2, [1, 2]], 0) - cosines[2, 2]]
    assert loss.item() == pytest.approx(float(sum(wanted) / 3), abs=1e-4)


def test_losses_against_their_definitions() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(5, 8), torch.randn(5, 8)
    cosines = torch.tensor([[float(x @ y / x.norm() / y.norm()) for y in b] for x in a])
    targets = torch.rand(5)
    wanted = (cosines.diagonal() - targets) ** 2
    torch.testing.assert_close(cosine_regression(a, b, targets), wanted, rtol=1e-5, atol=1e-6)
    rows = (cosines / 0.1).exp()
    wanted = -(rows.diagonal() / rows.sum(1)).log()
    got = in_batch_negatives(a, b, temperature=0.1)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6)


def test_retrieval_is_that_of_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.tasks.pairs.scores.AT_ONCE", 3)
    texts = [("a", "p"), ("b", "q"), ("a", "r"), ("c", "p"), ("d", "s")]
    seconds = ["p", "q", "r", "s"]
    draw = np.random.default_rng(0)
    table = draw.normal(size=(5, 5))
    table[:, 3] = table[:, 0]  # the same text
    got = score_retrieval(texts, lambda some, others: table[some][:, others])
    rankings = [[seconds[k] for k in np.argsort(-row[[0, 1, 2, 4]])] for row in table]
    right = [{"p", "r"}, {"q"}, {"p", "r"}, {"p"}, {"s"}]
    assert got["accuracy"] == pytest.approx(hits_at_k(rankings, right, k=1))
    assert got["mrr"] == pytest.approx(mrr(rankings, right))
    assert got["recall_at_10"] == 1.0 and got["candidates"] == 4 and got["n"] == 5
    nearest = nearest_seconds(texts, lambda some, others: table[some][:, others])
    assert [one[0] for one in nearest] == [ranking[0] for ranking in rankings]
    assert [one[2] for one in nearest] == [r[0] in w for r, w in zip(rankings, right, strict=True)]


@pytest.mark.parametrize(
    ("columns", "settings", "said"),
    [
        ({"text": ["w1", "w2"], "label": [0.5, 1.0]}, {}, "no column of second texts"),
        ({"text1": ["w1"] * 9, "text2": ["w2"] * 9, "score": [0.1] * 8 + [None]}, {}, "no label"),
        ({"text1": ["w1"], "text2": ["w2"], "label": ["a"]}, {"label": "label"}, "finite number"),
        ({"text1": ["w1"], "text2": ["w2"], "label": [1]}, {"kind": "pairs"}, "is a label, 1"),
        ({"text1": ["w1"], "text2": ["w2"]}, {"head": "mlp"}, "no head"),
        ({"text1": ["w1"], "text2": ["w2"]}, {"pooling": "attention"}, "pooling = 'attention'"),
    ],
)
def test_rows_and_settings_that_cannot_be(
    columns: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    test = similar_rows(4) if "score" in columns else None
    data = Dataset.from_columns({name: values * 4 for name, values in columns.items()})
    if test is None:
        rows = Dataset.from_columns({name: values * 2 for name, values in columns.items()})
        test = rows.map(lambda row: {**row, **{k: f"{v} w9" for k, v in row.items() if k in
                                               ("text1", "text2", "text")}})  # fmt: skip
    with pytest.raises((DataError, ConfigError), match=said):
        quick(data=data, test=test, task=NAME, **settings)


def test_a_column_that_is_no_number_is_no_similarity() -> None:
    rows = Dataset.from_columns({"premise": ["a b"], "hypothesis": ["c d"], "language": ["en"]})
    columns = TASK.columns(rows, text=None, pair=None, label=None)
    assert (columns.text, columns.pair, columns.label) == ("premise", "hypothesis", None)


@pytest.mark.slow
def test_the_saved_model_is_one_of_sentence_transformers(tmp_path: Path) -> None:
    peer = pytest.importorskip("sentence_transformers")
    texts = ["word1 late word2", "word3", " ".join(f"word{n}" for n in range(40))]
    rows = [{"text1": a, "text2": b, "score": n / 9} for n, (a, b) in enumerate(
        zip(texts * 3, texts[::-1] * 3, strict=True))]  # fmt: skip
    data = Dataset.from_rows(rows)
    model = str(write_model(tmp_path / "tiny"))
    quick(model, data, test=similar_rows(9).rename({"sentence1": "text1", "sentence2": "text2"}),
          task=NAME, out=tmp_path / "run", pooling="first")  # fmt: skip
    ours = load(tmp_path / "run")
    theirs = peer.SentenceTransformer(str(tmp_path / "run"), device="cpu")
    assert np.allclose(theirs.encode(texts), ours.embed(texts), atol=1e-5)
