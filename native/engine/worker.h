// What one thread needs while it encodes, kept from text to text.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/tokens.h"
#include "engine/word_cache.h"
#include "models/model.h"
#include "text/aligned_text.h"

namespace headway {

// A stretch of a part of a text, in bytes.
struct Region {
    size_t start, end;
};

struct Worker {
    WordCache cache;
    Tokens tokens;  // of the blocks of a column that it has encoded
    std::vector<Piece> pieces;
    std::vector<AlignedText> parts;
    std::vector<Region> regions;
    std::vector<uint32_t> characters, numbers;
    std::string bytes;
    uint8_t sureness = 0;     // of the tokens of the last word, see WordJudge
    bool wants_slow = false;  // step after step, where a fast path could be taken

    // Tokens that are shown as something else than the vocabulary says: their place among the
    // tokens of the text, and how. Filled where somebody asks for it.
    bool wants_surfaces = false;
    std::vector<std::pair<size_t, std::string>> surfaces;
    size_t first_row = 0;  // of the text

    // The part of a text that the model has no token for, where encoding failed.
    std::string unknown;
};

}  // namespace headway
