"""Texts of a source in passages: each as long as a model reads at once, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from headway.data import Dataset, guess_columns, open_rows
from headway.errors import ConfigError, DataError, TokenizerError
from headway.logs import log
from headway.model import Model
from headway.tasks.inputs import strings_of
from headway.tokenizer.byte_offsets import refuse_surrogates_in
from headway.windows import default_stride

__all__ = ["Passage", "Source", "cut_texts", "source_of"]

UNLIMITED = 512
"""Tokens of a passage where the model itself sets no limit."""
AT_ONCE = 4096

Source = str | Path | Dataset | Sequence[str]
"""Texts, rows that have a column of them, or a file of such rows."""


class Passage(NamedTuple):
    """A stretch of a text: the row, from which character to which, how many tokens, and itself."""

    row: int
    start: int
    end: int
    tokens: int
    text: str


def source_of(given: Source, text: str | None) -> Dataset:
    """The texts as one column, called `text`.

    Args:
        given: a list of texts; a data set, or the name of a file of rows.
        text: which column, where it is named.

    Raises:
        DataError: a file that cannot be read or holds several splits, no such column, no texts.
        ConfigError: nothing that holds texts.
        TokenizerError: a text with half of a surrogate pair.
    """
    if isinstance(given, (str, Path)):
        found = open_rows(given)
        if not isinstance(found, Dataset):
            raise DataError(
                f"{given} holds several splits: {', '.join(found)}",
                next_step="name the file of one",
            )
        given = found
    if isinstance(given, Dataset):
        columns = guess_columns(given, text=text, labelled=False)
        log.info("text column %r", columns.text)
        texts = strings_of(given, columns.text)
    else:
        texts = list(given)
        if odd := [one for one in texts if not isinstance(one, str)]:
            raise ConfigError(f"{odd[0]!r:.60} is no text", allowed="texts, rows or a file of rows")
        for one in texts:
            refuse_surrogates_in(one)
    if not texts:
        raise DataError("there are no texts", allowed="one or more")
    return Dataset(pa.table({"text": pa.array(texts, pa.large_string())}))


def cut_texts(
    model: Model, data: Dataset, *, window: int | None, stride: int | None
) -> Iterator[list[Passage]]:
    """The passages of all texts, those of some thousand texts at a time.

    Args:
        model: that is to read them, behind its prompt.
        data: as `source_of` gives it.
        window: most tokens of a passage, special ones included; None = as many as it takes.
        stride: tokens that neighbours share; None = an eighth of a passage.

    Raises:
        TokenizerError: a text with half of a surrogate pair, or windows that cannot be.
    """
    tokenizer = model.need_tokenizer()
    longest = model.longest or max(UNLIMITED, window or 0)
    prompt = len(tokenizer.encode(model.checkpoint.embedding.prompt, special=False))
    size = min(window or longest, longest) - prompt
    stride = default_stride(size) if stride is None else stride
    for first in range(0, len(data), AT_ONCE):
        found = []
        for row, text in enumerate(data[first : first + AT_ONCE]["text"], first):
            try:
                windows = tokenizer.windows(text, size, stride=stride)
            except TokenizerError as error:
                raise TokenizerError(
                    f"text {row}: {error.problem}",
                    allowed=error.allowed,
                    next_step=error.next_step,
                ) from error
            if len(windows) == 1:
                own = len(windows[0]) - sum(windows[0].special_mask)
                found.append(Passage(row, 0, len(text), own, text))
                continue
            for encoding in windows:
                places = [
                    place
                    for place, side in zip(encoding.offsets, encoding.sequence_ids, strict=True)
                    if side == 0
                ]
                start, end = places[0][0], max(end for _, end in places)
                found.append(Passage(row, start, end, len(places), text[start:end]))
        yield found
