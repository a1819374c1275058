"""Raw text as what a step reads: one stream of tokens cut into blocks, or texts one by one.

Tokens lie in one Arrow buffer, and a block is two numbers, so that a corpus costs four bytes a
token and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headway.core.stacks import Decoder, EncoderDecoder
from headway.data import Dataset, open_rows
from headway.data.reading.files import FORMATS, format_of
from headway.errors import ConfigError, DataError
from headway.logs import log, progress
from headway.pretraining.settings import Settings
from headway.tokenizer import Tokenizer
from headway.tokenizer.around import special_around

__all__ = [
    "Around",
    "Blocks",
    "Corpus",
    "Texts",
    "around",
    "blocks_of",
    "held_out",
    "read_earlier",
    "read_texts",
]

Texts = Dataset | Mapping[str, Dataset] | str | Path | Sequence[str | Path]
"""Rows with a column of texts, splits of them, or what `read` takes."""

AT_ONCE = 1 << 24
"""Bytes of text that are given to the tokenizer together."""
HELD_TOKENS = 1 << 16
HELD_SHARE = 0.05
UNSPLIT = ("", "train", "training")


@dataclass(frozen=True)
class Corpus:
    """Texts to learn from.

    Attributes:
        name: what they are called.
        texts: one column of strings.
        held: the same, of a validation or test split; None = there is none.
        column: what the column of texts is called.
        fingerprint: hash of the rows.
        held_fingerprint: hash of the rows of that split; "" where there is none.
        notes: what was decided.
    """

    name: str
    texts: pa.ChunkedArray
    held: pa.ChunkedArray | None
    column: str
    fingerprint: str
    held_fingerprint: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Of the texts, in UTF-8."""
        return sum(_bytes_of(chunk) for chunk in self.texts.chunks)


@dataclass(frozen=True)
class Around:
    """What stands around each block, and behind each text of the stream.

    Attributes:
        before, behind: special tokens of a block.
        parted: what parts two texts in the stream, or None.
    """

    before: tuple[int, ...] = ()
    behind: tuple[int, ...] = ()
    parted: int | None = None

    @property
    def tokens(self) -> int:
        """How many are around a block."""
        return len(self.before) + len(self.behind)

    def put(self, ids: Sequence[int]) -> list[int]:
        """A block with them.

        >>> Around((1,), (2,)).put([7, 8])
        [1, 7, 8, 2]
        """
        return [*self.before, *ids, *self.behind]


@dataclass(frozen=True)
class Blocks:
    """Blocks of tokens.

    Attributes:
        ids: list<int32>, without the special tokens around each.
        texts: how many there were.
    """

    ids: pa.ListArray
    texts: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each, int64 [blocks]."""
        return np.diff(self.ids.offsets.to_numpy()).astype(np.int64)

    def take(self, numbers: npt.NDArray[np.int64]) -> Dataset:
        """Some of them, as rows with the column `ids`."""
        return Dataset(pa.table({"ids": self.ids.take(pa.array(numbers))}), name="blocks")


def read_texts(texts: Texts, settings: Settings) -> Corpus:
    """The texts of files or rows; a split that is called validation or test is held out.

    Raises:
        DataError: the files cannot be read, there is no column of texts, or no text in it.
    """
    splits = _splits(texts, settings)
    return _corpus(splits, settings.text)


def read_earlier(texts: Texts, settings: Settings) -> Corpus:
    """Texts of another run, of which settings hold where they fit.

    A file is read in the format that its name says, or else in that of the settings; an option that
    this format does not have is left out. The column is that of the settings where there is one of
    its name, and else it is guessed.

    Raises:
        DataError: as `read_texts` raises it.
    """
    if not isinstance(texts, (Dataset, Mapping)):
        settings = _fitting(_places(texts), settings)
    splits = _splits(texts, settings)
    named = settings.text in _train(splits).column_names
    return _corpus(splits, settings.text if named else None)


def _fitting(places: Sequence[str | Path], settings: Settings) -> Settings:
    """The settings that hold of files beside the run's own, which have other columns."""
    said = {format_of(Path(place)) for place in places}
    format = said.pop() if len(said) == 1 else None
    if format is None:
        return replace(settings, features=None)
    has = FORMATS[format].options
    return replace(
        settings,
        format=None,
        features=None,
        encoding=settings.encoding if "encoding" in has else None,
        recipe=settings.recipe if "recipe" in has else None,
        sample_by=settings.sample_by if "sample_by" in has else None,
    )


def _splits(texts: Texts, settings: Settings) -> dict[str, Dataset]:
    """Rows by split; `train` where there are no splits."""
    if isinstance(texts, (Dataset, Mapping)):
        found: Dataset | Mapping[str, Dataset] = texts
    else:
        places = _places(texts)
        plain = all(str(place).endswith(".txt") for place in places)
        found = open_rows(
            places[0] if len(places) == 1 else places,
            encoding=settings.encoding or "utf-8",
            format=settings.format,
            recipe=settings.recipe,
            features=settings.features,
            sample_by=settings.sample_by or ("paragraph" if plain else None),
        )
    return {"train": found} if isinstance(found, Dataset) else dict(found)


def _places(texts: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [texts] if isinstance(texts, (str, Path)) else list(texts)


def _train(splits: Mapping[str, Dataset]) -> Dataset:
    """The rows that train."""
    train = next((splits[name] for name in UNSPLIT if name in splits), None)
    if train is None:
        raise DataError(f"no train split among {', '.join(splits)}", allowed="train, validation")
    return train


def _corpus(splits: Mapping[str, Dataset], text: str | None) -> Corpus:
    """The texts of a column; None = it is guessed."""
    notes: list[str] = []
    train = _train(splits)
    column = _text_column(train, text, notes)
    held = next((splits[name] for name in ("validation", "valid", "dev", "test")
                 if name in splits), None)  # fmt: skip
    corpus = Corpus(
        train.name,
        _strings(train, column),
        None if held is None else _strings(held, column),
        column,
        train.fingerprint,
        "" if held is None else held.fingerprint,
        notes,
    )
    if not corpus.bytes:
        raise DataError(f"{train.name}: there is no text in column {column!r}")
    return corpus


def around(tokenizer: Tokenizer, body: object, *, joined: bool) -> Around:
    """What a model expects around a text, and what parts texts in a stream.

    A decoder's blocks are the stream as it is, with a token that ends a text between texts; the
    blocks of encoders stand between the special tokens that their tokenizer puts there.
    """
    special = tokenizer.special_ids
    if isinstance(body, Decoder) and joined:
        return Around(parted=special.get("eos", special.get("sep")))
    before, behind = map(tuple, special_around(tokenizer))
    end = special.get("eos")
    if isinstance(body, EncoderDecoder) and not behind and end is not None:
        behind = (end,)
    return Around(before, behind, special.get("sep", end))


def blocks_of(
    texts: pa.ChunkedArray, tokenizer: Tokenizer, size: int, put: Around, *, joined: bool
) -> Blocks:
    """Texts as blocks of at most `size` tokens, what stands around each included.

    Args:
        texts: strings.
        tokenizer: of the model.
        size: most tokens of a block.
        put: what stands around.
        joined: whether texts are laid end to end, so that all blocks but the last are full; else
            each begins a block, and a long one is several.

    Raises:
        ConfigError: there is no room for a token.
        DataError: there is no token in the texts.
    """
    room = size - put.tokens
    if room < 2:
        raise ConfigError(f"window = {size}", allowed=f"{put.tokens + 2} or more")
    ids, lengths = [], []
    for chunk in progress(list(_pieces(texts)), "Tokenizing"):
        lists = tokenizer.encode_arrow(chunk, special=False).column("ids")
        own = np.diff(lists.offsets.to_numpy())
        flat = lists.flatten().to_numpy(zero_copy_only=False)
        if put.parted is not None and joined:
            flat = np.insert(flat, own.cumsum(), put.parted).astype(np.int32)
            own = own + 1
        ids.append(flat)
        lengths.append(own)
    stream = np.concatenate(ids) if ids else np.zeros(0, np.int32)
    rows = np.concatenate(lengths).astype(np.int64) if lengths else np.zeros(0, np.int64)
    if not len(stream):
        raise DataError("there is no token in the texts")
    ends = np.array([len(stream)]) if joined else rows.cumsum()
    starts = np.concatenate([[0], ends[:-1]])
    cuts = [np.arange(start, end, room) for start, end in zip(starts, ends, strict=True)]
    offsets = np.concatenate([*cuts, [len(stream)]])
    if len(stream) >= 1 << 31:
        raise DataError(f"{len(stream)} tokens", allowed="up to 2^31 in one run",
                        next_step="give the files to several stages")  # fmt: skip
    made = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(stream, pa.int32()))
    return Blocks(made, len(rows))


def held_out(blocks: Blocks, share: float | None, seed: int) -> tuple[Dataset, Dataset]:
    """Blocks that train and blocks that measure, drawn by the seed.

    Args:
        blocks: all.
        share: that measures; None = about 65,000 tokens, at most a twentieth; 0 = none, 1 = all.
        seed: of the draw.

    Raises:
        DataError: of one block no part can be held out.
    """
    count = len(blocks)
    if share is None:
        mean = max(1.0, float(blocks.lengths.mean()))
        number = min(max(1, round(HELD_SHARE * count)), max(1, round(HELD_TOKENS / mean)))
    else:
        number = round(share * count) if share == 0 else max(1, round(share * count))
    if number and count < 2 and share != 1:
        raise DataError(
            f"the texts are {count} block of {int(blocks.lengths.sum())} tokens",
            allowed="two blocks or more",
            next_step="more text, a smaller --window, or --validation 0",
        )
    order = np.random.default_rng(seed).permutation(count)
    return blocks.take(np.sort(order[number:])), blocks.take(np.sort(order[:number]))


def _text_column(data: Dataset, asked: str | None, notes: list[str]) -> str:
    """The column that is read: named, or the only one of strings, or `text`."""
    strings = [
        field.name for field in data.rows.schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]  # fmt: skip
    if asked is not None:
        if asked not in strings:
            raise DataError(
                f"{data.name}: no column of texts {asked!r}", allowed=", ".join(strings) or "none"
            )
        return asked
    if "text" in strings:
        return "text"
    if len(strings) != 1:
        raise DataError(
            f"{data.name} has {len(strings)} columns of texts: {', '.join(strings)}",
            next_step="name one with --text, or call it 'text'",
        )
    notes.append(f"the texts are those of column {strings[0]!r}")
    log.info("%s", notes[-1])
    return strings[0]


def _strings(data: Dataset, column: str) -> pa.ChunkedArray:
    """A column without missing values."""
    found = data.column(column)
    found = found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])
    return found.drop_null()


def _pieces(texts: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Runs of rows, each of some megabytes."""
    for chunk in texts.chunks:
        if not len(chunk):
            continue
        rows = max(1, int(len(chunk) * AT_ONCE / max(1, _bytes_of(chunk))))
        for start in range(0, len(chunk), rows):
            yield chunk.slice(start, rows)


def _bytes_of(chunk: pa.Array) -> int:
    return int(pa.compute.sum(pa.compute.binary_length(chunk)).as_py() or 0)
