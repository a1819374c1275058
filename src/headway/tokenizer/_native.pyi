"""The native tokenizer engine; headway.tokenizer is the way in."""

import enum
from collections.abc import Callable, Sequence

class Finder:
    """Finds the spans of a pattern in a text."""

def find_text(arg: str, /) -> Finder: ...
def find_runs(arg0: str, arg1: int, arg2: int, /) -> Finder: ...
def find_words(arg: Splitter, /) -> Finder: ...
def find_by(arg: Callable, /) -> Finder: ...

class Normalizer:
    """Changes a text before it is cut."""

def bert_normalizer(
    *, clean_text: bool, space_chinese: bool, strip_accents: bool, lowercase: bool
) -> Normalizer: ...
def lowercase_normalizer() -> Normalizer: ...

class NormalForm(enum.Enum):
    NFC = 0

    NFD = 1

    NFKC = 2

    NFKD = 3

def normal_form_normalizer(arg: NormalForm, /) -> Normalizer: ...
def nmt_normalizer() -> Normalizer: ...
def strip_accents_normalizer() -> Normalizer: ...
def strip_normalizer(*, left: bool, right: bool) -> Normalizer: ...
def byte_level_normalizer() -> Normalizer: ...
def prepend_normalizer(arg: str, /) -> Normalizer: ...
def replace_normalizer(arg0: Finder, arg1: str, /) -> Normalizer: ...
def precompiled_normalizer(arg: bytes, /) -> Normalizer: ...
def sentencepiece_normalizer(
    table: bytes,
    *,
    symbols: Sequence[str],
    remove_spaces: bool,
    escape_spaces: bool,
    dummy_prefix: bool,
    space_as_suffix: bool,
) -> Normalizer: ...
def normalizer_sequence(arg: Sequence[Normalizer], /) -> Normalizer: ...
def normalize(arg0: Normalizer, arg1: str, /) -> tuple: ...

class PreTokenizer:
    """Cuts a normalized text into pieces."""

class Behavior(enum.Enum):
    Removed = 0

    Isolated = 1

    MergedWithPrevious = 2

    MergedWithNext = 3

    Contiguous = 4

class MetaspaceScheme(enum.Enum):
    always = 0

    first = 1

    never = 2

def bert_pretokenizer() -> PreTokenizer: ...
def whitespace_pretokenizer() -> PreTokenizer: ...
def whitespace_split_pretokenizer() -> PreTokenizer: ...
def punctuation_pretokenizer(arg: Behavior, /) -> PreTokenizer: ...
def digits_pretokenizer(*, individual: bool) -> PreTokenizer: ...
def split_pretokenizer(finder: Finder, behavior: Behavior, *, invert: bool) -> PreTokenizer: ...
def byte_level_pretokenizer(words: Finder | None, *, prefix_space: bool) -> PreTokenizer: ...
def metaspace_pretokenizer(mark: str, scheme: MetaspaceScheme, *, split: bool) -> PreTokenizer: ...
def unicode_scripts_pretokenizer() -> PreTokenizer: ...
def fixed_length_pretokenizer(arg: int, /) -> PreTokenizer: ...
def pretokenizer_sequence(arg: Sequence[PreTokenizer], /) -> PreTokenizer: ...
def pre_tokenize(
    pretokenizer: PreTokenizer, text: str, normalizer: Normalizer | None = None
) -> list: ...

class Model:
    """Cuts one piece of text into tokens."""

    def tokenize(self, arg: str, /) -> tuple: ...

class Bpe(Model):
    def __init__(
        self,
        vocabulary: dict,
        merges: Sequence[tuple[int, int, int]],
        *,
        unknown: str | None = None,
        fuse_unknown: bool = False,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
        prefix: str = "",
        suffix: str = "",
    ) -> None: ...
    @property
    def has_all_bytes(self) -> bool: ...

class WordPiece(Model):
    def __init__(self, vocabulary: dict, unknown: str, prefix: str, longest_word: int) -> None: ...

class WordLevel(Model):
    def __init__(self, vocabulary: dict, unknown: str) -> None: ...

class Unigram(Model):
    def __init__(
        self, scores: Sequence[tuple[str, float]], unknown: int | None, byte_fallback: bool = False
    ) -> None: ...

class SpmUnigram(Model):
    def __init__(self, pieces: Sequence[tuple[str, float, int]], byte_fallback: bool) -> None: ...

class SpmBpe(Model):
    def __init__(self, pieces: Sequence[tuple[str, float, int]], byte_fallback: bool) -> None: ...

class Splitter:
    """A published split pattern, matched by hand."""

    def cut(self, arg: str, /) -> list[int]: ...

def published_splitter(pattern: str) -> Splitter | None: ...
def digit_splitter(arg: bool, /) -> Splitter: ...
def chained(arg0: Splitter, arg1: Splitter, /) -> Splitter: ...

class FastPath:
    """A shortcut for pipelines of a usual kind."""

def byte_level_path(arg0: Splitter, arg1: Bpe, arg2: bool, /) -> FastPath: ...
def bert_path(
    clean_text: bool,
    lowercase: bool,
    normalizer: Normalizer | None,
    pretokenizer: PreTokenizer | None,
    model: Model,
) -> FastPath: ...

class Mark(enum.Enum):
    """What the mark before a word stands for."""

    FIRST_CHARACTER = 0

    FIRST_SPACE = 1

    LAST_SPACE = 2

def metaspace_path(
    normalizer: Normalizer | None, contextual: str, mark: Mark, model: Model
) -> FastPath: ...

class TrimSpaces:
    def __init__(self, arg0: dict, arg1: bool, /) -> None: ...

class AddedToken:
    def __init__(self, arg0: int, arg1: str, arg2: bool, arg3: bool, arg4: bool, /) -> None: ...

class Columns:
    """Encoded columns; any Arrow library takes them over."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple: ...

class Engine:
    """The pipeline from text to tokens."""

    def __init__(
        self,
        raw: Sequence[AddedToken],
        normalized: Sequence[AddedToken],
        normalizer: Normalizer | None,
        pretokenizer: PreTokenizer | None,
        model: Model,
        fast: FastPath | None,
        trims: Sequence[TrimSpaces],
    ) -> None: ...
    def encode_text(
        self, text: str, step_by_step: bool = False, surfaces: bool = False
    ) -> object: ...
    def encode_chunks(
        self,
        capsules: Sequence[tuple[object, object]],
        *,
        before: Sequence[int],
        behind: Sequence[int],
        offsets: bool,
        words: bool,
        threads: int,
    ) -> object: ...

class WordList:
    """Words, as bytes, and how often each of them comes."""

    def __init__(self, arg: Sequence[tuple[bytes, int]], /) -> None: ...
    def __len__(self) -> int: ...
    def most_frequent(
        self, least_count: int = 1, most: int = 18446744073709551615
    ) -> list[tuple[bytes, int]]: ...
    def characters(self) -> list[tuple[int, int]]: ...

class WordCutter:
    """Cuts texts into the words that are counted."""

def pattern_cutter(splitter: Splitter, normalizer: Normalizer | None) -> WordCutter: ...
def character_cutter(normalizer: Normalizer | None) -> WordCutter: ...
def stretch_cutter(normalizer: Normalizer | None, pretokenizer: PreTokenizer) -> WordCutter: ...

class WordCounter:
    """Counts the words of texts, in bounded memory."""

    def __init__(
        self, cutter: WordCutter, *, threads: int, budget: int, files: Sequence[int]
    ) -> None: ...
    def add_lines(self, lines: bytes, progress: object | None) -> tuple[str, int, int] | None: ...
    def add_chunks(
        self, capsules: Sequence[tuple[object, object]], progress: object | None
    ) -> tuple[str, int, int] | None: ...
    def finish(self, progress: object | None) -> WordList | None: ...
    def summary(self) -> dict[str, int]: ...

def train_bpe(
    words: WordList,
    *,
    size: int,
    least_count: int = 0,
    longest_token: int = 18446744073709551615,
    most_characters: int | None = None,
    alphabet: str = "",
    special: Sequence[str] = [],
    prefix: str = "",
    is_bytes: bool = False,
    progress: object | None = None,
) -> tuple[list[str], list[tuple[int, int]], int]: ...
def train_unigram(
    words: WordList,
    *,
    size: int,
    alphabet: str,
    longest_piece: int = 16,
    candidates: int = 1000000,
    threads: int = 1,
    progress: object | None = None,
) -> list[tuple[str, float]]: ...
def count_tokens(
    model: Model, words: WordList, *, is_bytes: bool, threads: int
) -> tuple[int, int]: ...
def first_invalid_utf8(arg: bytes, /) -> int: ...
