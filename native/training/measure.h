// How many tokens a model makes of counted words.
#pragma once

#include <cstdint>

#include "models/model.h"
#include "training/word_list.h"

namespace headway {

struct TokenCount {
    uint64_t tokens = 0, words = 0;
};

// Words that are bytes are written in the byte alphabet first. A word that the model has no token
// for counts as one.
TokenCount count_tokens(const Model& model, const WordList& words, bool is_bytes, size_t threads);

}  // namespace headway
