"""Models on disk, in the ecosystem's own format: read strictly, written all at once.

checkpoint.py  a folder as parts of a model     folders.py     a folder replaced whole
tensors.py     which weight files               embedding.py   how a text's vector is made
assign.py      tensors into a module            generation.py  how text is written
heads.py       which head                       documents.py   JSON files
vocabulary.py  more tokens                      choice.py      a choice head beside another
duplicate.py   one stack made into two         longer.py      a model made to read long texts
weights/       weight files of other frameworks
sources.py     formats of models                gguf/          ggml's, read and written
llama2c.py     llama2.c's                       word_vectors.py, static.py   word vectors
lora.py        adapters in peft's format       bottlenecks.py   adapters that stay beside weights
scope.py       what texts of no label are called    speakers.py   whether tokens say who speaks
"""

from headway.checkpoints.checkpoint import (
    Checkpoint,
    is_model_folder,
    load_checkpoint,
    saved_checkpoint,
    write_description,
)
from headway.checkpoints.choice import with_choice
from headway.checkpoints.duplicate import encoder_decoder_of
from headway.checkpoints.folders import replaced_folder
from headway.checkpoints.gguf.write import write_gguf
from headway.checkpoints.heads import HeadPlan, new_head
from headway.checkpoints.longer import lengthened
from headway.checkpoints.lora import read_adapter, with_adapter
from headway.checkpoints.scope import SCORES, Scope
from headway.checkpoints.speakers import can_carry
from headway.checkpoints.vocabulary import with_tokens, with_words

__all__ = [
    "SCORES",
    "Checkpoint",
    "HeadPlan",
    "Scope",
    "can_carry",
    "encoder_decoder_of",
    "is_model_folder",
    "lengthened",
    "load_checkpoint",
    "new_head",
    "read_adapter",
    "replaced_folder",
    "saved_checkpoint",
    "with_adapter",
    "with_choice",
    "with_tokens",
    "with_words",
    "write_description",
    "write_gguf",
]
