"""Questions and contexts as windows: whole questions, exact places, one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.tiny import WORDS, words_tokenizer

from headway import Dataset, read
from headway.errors import TokenizerError
from headway.tasks.answers.passages import read_passage
from headway.tasks.answers.truth import located
from headway.tokenizer import Tokenizer
from headway.tokenizer.formats.documents import document, template

XQUAD = Path(__file__).parents[4] / "shared" / "data" / "xquad"

TOKENIZER = words_tokenizer()
NAMES = ["<pad>", "<unk>", "<s>", "</s>", *WORDS]
IDS = {name: number for number, name in enumerate(NAMES)}
ROBERTA = Tokenizer.from_document(
    document(
        {"type": "WordLevel", "vocab": IDS, "unk_token": "<unk>"},
        pre_tokenizer={"type": "WhitespaceSplit"},
        post_processor=template("<s> A </s>", "<s> A </s> </s> B </s>", IDS),
    )
)


def words(count: int, start: int = 0) -> str:
    return " ".join(f"w{n % 20}" for n in range(start, start + count))


@pytest.mark.parametrize(("tokenizer", "around"), [(TOKENIZER, 3), (ROBERTA, 4)])
@given(asked=st.integers(0, 9), count=st.integers(0, 60), size=st.integers(14, 30))
def test_the_context_is_cut_whichever_is_longer(
    tokenizer: Tokenizer, around: int, asked: int, count: int, size: int
) -> None:
    question, context = words(asked), words(count)
    read = read_passage(tokenizer, (question, context), size=size)
    room = size - around - asked
    stride = room // 4
    assert len(read.ids) == (1 if count <= room else -(-(count - stride) // (room - stride)))
    assert read.report() == {
        "used": asked + count,
        "total": asked + count,
        "windows": len(read.ids),
    }
    seen = set()
    for ids, first, places in zip(read.ids, read.firsts, read.offsets, strict=True):
        assert len(ids) <= size
        assert [tokenizer.token(n) for n in ids[1 : 1 + asked]] == question.split()
        inside = [tokenizer.token(n) for n in ids[first : first + len(places)]]
        assert inside == [context[start:end] for start, end in places]
        assert first == around - 1 + asked or not len(places)
        seen |= {(int(start), int(end)) for start, end in places}
    assert len(seen) == count


def test_a_question_that_leaves_no_room_is_named() -> None:
    said = (
        r"row 7: the question has 21 tokens, and a window 24, of which special tokens take 3. "
        r"Allowed: a question of at most 20 tokens"
    )
    with pytest.raises(TokenizerError, match=said):
        read_passage(TOKENIZER, (words(21), words(5)), size=24, number=7)
    assert len(read_passage(TOKENIZER, (words(20), words(5)), size=24).ids) == 5
    with pytest.raises(TokenizerError, match=r"text 7: .*half of a surrogate pair"):
        read_passage(TOKENIZER, ("\ud83d", words(5)), size=24, number=7)
    with pytest.raises(TokenizerError, match=r"text 7: .*stride from 0 to"):
        read_passage(TOKENIZER, ("w1", words(50)), size=24, stride=23, number=7)


def test_an_answer_is_found_in_every_window_that_holds_all_of_it() -> None:
    context = words(30)
    read = read_passage(TOKENIZER, ("w1 w2", context), size=15, stride=4)  # 10 words a window
    starts = [int(places[0, 0]) for places in read.offsets]
    assert starts == [len(words(n)) + 1 if n else 0 for n in (0, 6, 12, 18, 24)]
    start = len(words(7)) + 1  # w7 w8
    spans = read.span(start, start + 5)
    assert spans == [(4 + 7, 4 + 8), (4 + 1, 4 + 2), None, None, None]
    wide = read.span(start, start + len(words(5, 7)))  # five words: in the second window only
    assert wide == [None, (4 + 1, 4 + 5), None, None, None]
    assert read.span(0, len(context)) == [None] * 5
    assert read.span(3 - 1, 3) == [None] * 5  # a space, which no token covers


def test_a_place_inside_a_word_is_that_of_its_token() -> None:
    read = read_passage(TOKENIZER, ("w1", "w10 w11"), size=24)
    assert read.span(1, 2) == [(3, 3)]
    assert read.span(2, 5) == [(3, 4)]


def test_a_context_of_a_megabyte_is_read_in_windows() -> None:
    context = words(310_000)
    assert len(context) > 2**20
    read = read_passage(TOKENIZER, ("w1 w2", context), size=512)
    assert read.tokens == 310_002
    assert read.report()["windows"] == len(read.ids) == -(-(310_000 - 126) // (507 - 126))
    start, end = (int(n) for n in read.offsets[-1][-1])
    assert context[start:end] == f"w{309_999 % 20}" and end == len(context)


@pytest.mark.parametrize("language", ["en", "de", "vi"])
def test_answers_of_real_questions_are_found_again(language: str, minilm_folder: Path) -> None:
    """A fifth of the questions of XQuAD, through the windows and tokens of a released model."""
    if not (XQUAD / f"xquad.{language}.json").exists():
        pytest.skip(f"needs {XQUAD}")
    rows = read(XQUAD / f"xquad.{language}.json")
    assert isinstance(rows, Dataset) and len(rows) == 1190
    tokenizer = Tokenizer.load(minilm_folder)
    exact = 0
    for row in rows.select(range(0, 1190, 5)):
        context, (said,), (start,) = row["context"], *row["answers"].values()
        text = read_passage(tokenizer, (row["question"], context), size=256)
        place = located(context, said, start)
        assert place == start
        held = [
            (number, span)
            for number, span in enumerate(text.span(start, start + len(said)))
            if span is not None
        ]
        assert held
        for number, (first, last) in held:
            places = text.offsets[number][[first - text.firsts[number], last - text.firsts[number]]]
            found = context[places[0, 0] : places[1, 1]]
            assert said in found
        exact += found == said
    # The others end inside a word: "Mark" of "Markus".
    assert exact >= 236
