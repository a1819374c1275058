"""Text, token by token, from a decoder with a cache.

decoding    every option, checked
front       what a model's methods call
writing     options become bricks, prompts become batches
reader      a decoder that remembers what it has read
loop, beams, contrastive, speculative    the ways from one token to the next
rules, penalties, bans, filters, choosing    functions of logits
constraints, answers, grammars    what a text must be
"""

from headway.generate.constraints import Constraint, OneOf, Regex, Schema
from headway.generate.decoding import Decoding
from headway.generate.front import chat, stream_texts, write_ids, write_texts
from headway.generate.parts import Parts
from headway.generate.text import Written

__all__ = [
    "Constraint",
    "Decoding",
    "OneOf",
    "Parts",
    "Regex",
    "Schema",
    "Written",
    "chat",
    "stream_texts",
    "write_ids",
    "write_texts",
]
