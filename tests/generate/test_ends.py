"""Texts end where they are told to, to the character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines.models import tokenizer_of, writer

from headway.errors import ConfigError
from headway.generate.ends import Ends, before_stop
from headway.generate.text import Text
from headway.tokenizer import Tokenizer

from .letters import letters_tokenizer

TOKENIZER = letters_tokenizer()


def ends_with(text: str, stop: tuple[str, ...], tokenizer: Tokenizer) -> tuple[str, str | None]:
    """What is left of a text whose tokens come one by one, and why it ended."""
    ids = tokenizer.encode(text).ids
    made = Text(prompt=[0], limit=len(ids))
    ends = Ends([], stop, tokenizer)
    for id in ids:
        ends.add(made, id)
        if made.stopped_by is not None:
            break
    return before_stop(tokenizer.decode(made.ids), stop), made.stopped_by


@given(
    text=st.text("ab.é\n 🙂", min_size=1, max_size=40),
    stop=st.lists(st.text("ab.é 🙂", min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_stop_texts_cut_across_tokens(text: str, stop: list[str]) -> None:
    read = next((n for n in range(len(text) + 1) if text[:n].endswith(tuple(stop))), None)
    longest = max((each for each in stop if text[:read].endswith(each)), key=len, default="")
    wanted, found = text[: len(text) if read is None else read - len(longest)], read is not None
    got, why = ends_with(text, tuple(stop), TOKENIZER)
    assert got == wanted
    assert (why == "stop") == found


def test_a_stop_text_far_on_ends_the_text_at_once() -> None:
    text = "ab" * 300 + "END" + "ab" * 300
    ids = TOKENIZER.encode(text).ids
    made, ends = Text(prompt=[0], limit=len(ids)), Ends([], ("END",), TOKENIZER)
    for id in ids:
        ends.add(made, id)
        if made.stopped_by:
            break
    assert TOKENIZER.decode(made.ids).startswith("ab" * 300 + "END")
    assert len(made.ids) < len(ids) / 2 + 10


def test_end_tokens_are_no_part_of_a_text() -> None:
    made, ends = Text(prompt=[0], limit=3), Ends([7])
    ends.add(made, 5)
    ends.add(made, 7)
    assert (made.ids, made.stopped_by) == ([5], "end")
    forced, ends = Text(prompt=[0], limit=1), Ends([7], forced=True)
    ends.add(forced, 7)
    assert (forced.ids, forced.stopped_by) == ([], "max_new_tokens")


def test_models_stop_at_words() -> None:
    model = writer("gpt2")
    (free,) = model.generate(["w1 w2"], 10, stop_tokens=())
    words = free.split()
    stop = f"{words[3]} {words[4]}"
    wanted = free[: free.index(stop)]
    (found,) = model.generate_details(["w1 w2"], 10, stop_tokens=(), stop=stop)
    assert (found.text, found.stopped_by) == (wanted, "stop")
    assert tokenizer_of(model).decode(found.ids).startswith(wanted + stop[:2])
    assert len(found.log_probabilities) == len(found.ids) <= 5
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="stop texts, and tiny-gpt2 has no tokenizer"):
        model.generate_ids([[5]], stop="a")
