from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import quick
from training.tiny import WORDS, tiny_model

from headway import Dataset, evaluate, load, pipeline
from headway.adaptation import Result
from headway.errors import ConfigError, DataError
from headway.model import Model
from headway.tasks import TASKS, Meaning, meaning_of
from headway.tasks.tags.word_places import place_words
from headway.tokenizer import Tokenizer
from headway.windows import window_texts

TASK = TASKS["token-classification"]
TAGS = ("O", "B-A", "I-A", "B-B", "I-B")


def tagged_rows(n: int = 80, *, seed: int = 0, form: str = "tags") -> Dataset:
    """`red` and the word behind it are an A; `blue` alone is a B."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        words: list[str] = []
        tags: list[str] = []
        for _ in range(draw.randint(2, 5)):
            kind = draw.random()
            word = draw.choice(WORDS)
            if kind < 0.3:
                words += ["red", word]
                tags += ["B-A", "I-A"]
            elif kind < 0.5:
                words.append("blue")
                tags.append("B-B")
            else:
                words.append(word)
                tags.append("O")
        rows.append(row_of(words, tags, form))
    return Dataset.from_rows(rows, name="tagged")


def row_of(words: list[str], tags: list[str], form: str) -> dict[str, Any]:
    if form == "tags":
        return {"tokens": words, "tags": tags}
    if form == "parts of speech":
        return {"tokens": words, "tags": [tag[-1] for tag in tags]}
    text = " ".join(words)
    starts = [len(" ".join(words[:n])) + bool(n) for n in range(len(words))]
    spans = []
    for n, tag in enumerate(tags):
        if tag[0] == "B":
            last = n + 1 if tag == "B-A" else n
            end = starts[last] + len(words[last])
            spans.append({"start": starts[n], "end": end, "label": tag[2:]})
    return {"text": text, "entities": spans}


def learned(form: str = "tags", out: Path | None = None, **settings: Any) -> Result:
    usual = {"task": "token-classification", "epochs": 12, "lr": 5e-3, "out": out}
    return quick(data=tagged_rows(form=form), test=tagged_rows(30, seed=1, form=form),
                 **{**usual, "batch_tokens": 64, **settings})  # fmt: skip


@pytest.mark.parametrize("form", ["tags", "spans"])
def test_entities_are_learned_from_tags_and_from_places(form: str) -> None:
    report = learned(form, baseline=True).report
    assert report["kind"] == "entities" and report["label_names"] == list(TAGS)
    assert report["test"]["f1"] > 0.95
    assert report["baseline"]["f1"] < report["test"]["f1"]
    assert set(report["test"]["per_label"]) == {"A", "B"}
    assert report["data"]["labels"].keys() == {"A", "B"}


@pytest.mark.parametrize("head", ["linear", "mlp", "lstm", "crf", "lstm-crf", "family"])
def test_every_head_learns(head: str, tmp_path: Path) -> None:
    found = learned(head=head, epochs=16, out=tmp_path / "run")
    assert found.report["test"]["f1"] > 0.9
    again = evaluate(tmp_path / "run", tagged_rows(30, seed=1))
    assert again["test"] == found.report["test"]


def nested_rows(n: int = 80, *, seed: int = 0) -> Dataset:
    """`red` and the two words behind it are an A; a `blue` among them or elsewhere is a B."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        words = [draw.choice(WORDS) for _ in range(draw.randint(1, 4))]
        inner = [draw.choice([*WORDS[:4], "blue"]) for _ in range(2)]
        before = len(words)
        words += ["red", *inner, draw.choice(WORDS)]
        text = " ".join(words)
        starts = [len(" ".join(words[:n])) + bool(n) for n in range(len(words))]
        ends = [start + len(word) for start, word in zip(starts, words, strict=True)]
        spans = [{"start": starts[before], "end": ends[before + 2], "label": "A"}]
        spans += [
            {"start": starts[n], "end": ends[n], "label": "B"}
            for n, word in enumerate(words)
            if word == "blue"
        ]
        rows.append({"text": text, "entities": spans})
    return Dataset.from_rows(rows, name="nested")


def test_entities_that_lie_in_each_other(tmp_path: Path) -> None:
    found = quick(
        data=nested_rows(), test=nested_rows(30, seed=1), task="token-classification",
        epochs=25, lr=5e-3, batch_tokens=64, baseline=True, out=tmp_path / "run",
    )  # fmt: skip
    report = found.report
    assert report["kind"] == "nested-entities" and report["label_names"] == ["A", "B"]
    assert report["test"]["f1"] > 0.9 and report["baseline"] is None
    assert evaluate(tmp_path / "run", nested_rows(30, seed=1))["test"] == report["test"]
    text = "w1 red blue w2 w3"
    told = pipeline(tmp_path / "run")(text)["entities"]
    assert [(one["text"], one["label"]) for one in told] == [("red blue w2", "A"), ("blue", "B")]
    long = " ".join(["w1 w2 w3"] * 30 + ["red w0 blue"] + ["w5 w6"] * 20)
    for one in pipeline(tmp_path / "run")(long)["entities"]:
        assert long[one["start"] : one["end"]] == one["text"]


def test_parts_of_speech(tmp_path: Path) -> None:
    found = learned("parts of speech", baseline=True, out=tmp_path / "run")
    assert found.report["kind"] == "tags" and found.report["label_names"] == ["A", "B", "O"]
    assert found.report["test"]["accuracy"] > 0.95
    answer = pipeline(tmp_path / "run")("w1 red w2")
    assert [(one["text"], one["label"]) for one in answer["tags"]] == [
        ("w1", "O"), ("red", "A"), ("w2", "A"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagged") / "run"
    learned(out=folder)
    return folder


def test_a_saved_run_tags_text_with_places(run: Path) -> None:
    ask = pipeline(run)
    text = "w1  red\tw2 blue."
    answer = ask(text)
    assert answer["tokens"]["windows"] == 1
    for one in answer["entities"]:
        assert text[one["start"] : one["end"]] == one["text"]
        assert 0 < one["score"] <= 1
    assert answer["entities"][0]["text"] == "red\tw2"


def test_whatever_it_is_given(run: Path, tmp_path: Path) -> None:
    ask = pipeline(run)
    words = ["w1", "red", "w2"]
    one = ask(" ".join(words))
    assert ask([words])[0] == one == ask(["w1 red w2"])[0] == next(ask(iter(["w1 red w2"])))
    assert ask(Dataset.from_rows([{"text": "w1 red w2"}])) == [one]
    (tmp_path / "texts.jsonl").write_text('{"text": "w1 red w2"}\n')
    assert ask(tmp_path / "texts.jsonl") == [one]
    assert ask("")["entities"] == [] and ask([]) == []


def test_answers_do_not_depend_on_neighbours(run: Path) -> None:
    ask = pipeline(run)
    texts = [" ".join(row["tokens"]) for row in tagged_rows(12, seed=5)]
    together = ask(texts)
    for text, answer in zip(texts, together, strict=True):
        alone = ask(text)
        assert [one["text"] for one in alone["entities"]] == [
            one["text"] for one in answer["entities"]
        ]


def test_a_long_text_is_read_in_windows_with_places_in_the_whole(run: Path) -> None:
    ask = pipeline(run)
    text = " ".join(["w1 w2 w3"] * 30 + ["red w4"] + ["w5 w6"] * 20 + ["blue"] + ["w7"] * 30)
    answer = ask(text)
    assert answer["tokens"]["windows"] > 5
    found = [(one["text"], one["label"]) for one in answer["entities"]]
    assert ("blue", "B") in found and any(text.startswith("red") for text, _ in found)
    for one in answer["entities"]:
        assert text[one["start"] : one["end"]] == one["text"]


def test_every_word_speaks_once_where_most_is_seen_around_it() -> None:
    tokenizer = tiny_model().need_tokenizer()
    text = " ".join(WORDS * 4)
    (windowed,) = window_texts(tokenizer, [text], size=24, places=True)
    placed = place_words(text, windowed)
    assert [text[start:end] for start, end in placed.words] == text.split()
    for (start, end), place in zip(placed.words, placed.speakers, strict=True):
        assert place is not None
        window, token = place
        assert windowed.places[window].offsets[token] == (start, end)
    inner = [place for place in placed.speakers[4:-4] if place is not None]
    assert all(token > 1 for _, token in inner)


PIECES = dict(
    zip(["[UNK]", "[CLS]", "[SEP]", "un", "##able", "to", ".", "東", "京"], range(9), strict=True)
)


def pieces_tokenizer() -> Tokenizer:
    return Tokenizer.from_document(
        {
            "normalizer": {"type": "BertNormalizer", "clean_text": True, "lowercase": True,
                           "handle_chinese_chars": True, "strip_accents": None},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": PIECES,
                      "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
        }
    )  # fmt: skip


def test_words_are_made_of_pieces_and_scripts_without_spaces_of_tokens() -> None:
    text = "Unable to 東京."
    (windowed,) = window_texts(pieces_tokenizer(), [text], size=None, places=True)
    placed = place_words(text, windowed)
    assert [text[start:end] for start, end in placed.words] == ["Unable", "to", "東", "京", "."]
    assert placed.speakers == [(0, 1), (0, 3), (0, 4), (0, 5), (0, 6)]


def test_a_word_that_the_tokenizer_drops_keeps_its_place() -> None:
    """A control character is no token; its tag is lost to training, and no other word's is."""
    words = ["to", "\x01", "unable"]
    (windowed,) = window_texts(pieces_tokenizer(), [" ".join(words)], size=None, places=True)
    placed = place_words(" ".join(words), windowed, [(0, 2), (3, 4), (5, 11)])
    assert placed.speakers == [(0, 1), None, (0, 2)]
    (targets,) = TASK.targets(
        tiny_model(), [placed], [["B-A", "I-A", "I-A"]], Meaning("entities", TAGS)
    )
    assert (targets[0].tokens, targets[0].labels) == ([1, 2], [1, 2])


def test_labels_of_words_that_a_window_cuts_are_learned_once() -> None:
    model = tiny_model()
    words = (WORDS * 5)[:90]
    (text,) = TASK.encode(model, [words], size=24, stride=4)
    (targets,) = TASK.targets(tiny_model(), [text], [["O"] * 90], Meaning("entities", TAGS))
    assert len(text.ids) > 3
    assert sum(len(window.labels) for window in targets) == 90


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"tokens": [["a", "b"]], "tags": [["O"]]}, "row 1 has 1 tags for 2 words"),
        ({"tokens": [["a"]], "tags": [["PER?"]], "kind": "entities"}, "is no tag of an entity"),
        ({"text": ["a b"], "entities": [[{"start": 0, "end": 9, "label": "X"}]]}, "from 0 to 9"),
        ({"text": ["a b"], "label": ["X"]}, "no list of spans"),
        ({"text": [3], "tags": [["O"]]}, "is no text"),
    ],
)
def test_rows_that_cannot_be_used(data: dict[str, Any], said: str) -> None:
    kind = data.pop("kind", None)
    rows = Dataset.from_columns(data)
    with pytest.raises((DataError, ConfigError), match=said):
        task = TASK
        columns = task.columns(rows, text=None, pair=None, label=None)
        inputs = task.inputs(rows, columns)
        answers = rows[str(columns.label)]
        wrong = [why for one in answers if (why := task.wrong(one, kind or task.kind_of(answers)))]
        if wrong:
            raise DataError(wrong[0])
        read = task.encode(tiny_model(), inputs, size=24, stride=None)
        task.targets(tiny_model(), read, answers, Meaning("entities", TAGS))


def test_labels_that_training_does_not_know() -> None:
    strange = Dataset.from_rows([{"tokens": ["w1"], "tags": ["B-C"]}])
    with pytest.raises(DataError, match="not among the training labels: 'C'"):
        quick(data=tagged_rows(20), test=strange, task="token-classification")


def test_a_model_of_texts_tags_nothing() -> None:
    from pipelines.models import classifier

    with pytest.raises(ConfigError, match="no head for labels of tokens"):
        pipeline("token-classification", classifier())


def test_the_answer_is_never_a_sequence_that_cannot_be() -> None:
    model = random_tagger()
    found = pipeline(model)([" ".join(WORDS[n:] + WORDS[:n]) for n in range(10)])
    assert any(answer["entities"] for answer in found)
    read = TASK.encode(model, [" ".join(WORDS)], size=24, stride=None)
    (one,) = TASK.read(model, read, meaning_of(model), batch_tokens=100, what="")
    before = "O"
    for label in one.labels:
        assert not label.startswith("I-") or before[2:] == label[2:]
        before = label


def random_tagger() -> Model:
    model = tiny_model()
    plan = TASK.head(model, Meaning("entities", TAGS), head="linear", pooling=None)
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        model.put_head(plan)
    return model


def test_a_model_of_the_ecosystem_is_asked_the_same(tmp_path: Path) -> None:
    """Aggregated by first pieces, as the usual pipeline can be asked to."""
    transformers = pytest.importorskip("transformers")
    model = random_tagger()
    plan = TASK.head(model, Meaning("entities", TAGS), head="family", pooling=None)
    with torch.random.fork_rng([]):
        torch.manual_seed(4)
        model.put_head(plan)
    model.save(tmp_path)
    ours = pipeline(load(tmp_path))
    theirs = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path).eval()
    assert [theirs.config.id2label[n] for n in range(5)] == list(TAGS)
    texts = [" ".join(WORDS[n : n + 6]) for n in range(10)]
    for text in texts:
        encoding = model.need_tokenizer().encode(text)
        with torch.no_grad():
            logits = theirs(torch.tensor([encoding.ids])).logits[0, 1:-1]
        read = ours.reader.encode(_chunk([text]))
        (one,) = TASK.read(ours.reader.model, read, ours.reader.meaning, batch_tokens=99, what="")
        labels = [TAGS.index(label) for label in one.labels]
        chosen = logits.softmax(-1)[range(6), labels]
        torch.testing.assert_close(torch.tensor(one.scores), chosen, atol=1e-5, rtol=0)


def _chunk(texts: list[str]) -> Any:
    from headway.pipelines.inputs import Chunk

    return Chunk(texts)
