"""Tokenizers: text to numbers and back, with the place of every token in the text.

tokenizer.py       the Tokenizer: load, encode, windows, decode, save
encoding.py        what encoding gives
around.py          the special tokens that stand around a text
inside.py          how a word is cut that stands in a text
alignment.py       which tokens cover a character or a word, by bisection
byte_offsets.py    characters to bytes of UTF-8, and back
reference.py       the pipeline, step by step
aligned_text.py    a text that knows where its characters come from
normalizers.py, pretokenizers.py, models.py, postprocessors.py, decoders.py, added_tokens.py
                   the steps, one literal dict each of the kinds there are
streaming.py       decoding token by token
wordpiece.py, bpe.py, unigram.py    the algorithms
formats/           the files a tokenizer can be in
training/          new tokenizers, learnt from texts
"""

from headway.tokenizer.byte_offsets import ByteOffsets
from headway.tokenizer.encoding import Encoding
from headway.tokenizer.tokenizer import Tokenizer

__all__ = ["ByteOffsets", "Encoding", "Tokenizer"]
