// Pre-tokenizers: cut a normalized text into the pieces that the model sees one at a time.
//
// Their conventions, and what each is for, stand in the readable twin:
// src/headway/tokenizer/pretokenizers.py.
#pragma once

#include <vector>

#include "steps/splitting.h"
#include "steps/steps.h"

namespace headway {

enum class MetaspaceScheme { kAlways, kFirst, kNever };

PreTokenizerPtr bert_pretokenizer();
PreTokenizerPtr whitespace_pretokenizer();
PreTokenizerPtr whitespace_split_pretokenizer();
PreTokenizerPtr punctuation_pretokenizer(Behavior behavior);
PreTokenizerPtr digits_pretokenizer(bool individual);
// Cuts at what is found, or (invert) at what stands between.
PreTokenizerPtr split_pretokenizer(FindSpans find, Behavior behavior, bool invert);
// Words, if they can be found, in the characters of their bytes.
PreTokenizerPtr byte_level_pretokenizer(bool prefix_space, FindSpans words);
PreTokenizerPtr metaspace_pretokenizer(char32_t mark, MetaspaceScheme scheme, bool split);
PreTokenizerPtr unicode_scripts_pretokenizer();
PreTokenizerPtr fixed_length_pretokenizer(uint32_t length);
PreTokenizerPtr pretokenizer_sequence(std::vector<PreTokenizerPtr> parts);

}  // namespace headway
