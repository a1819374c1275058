// SentencePiece's own normalizer, as a .model file describes it.
//
// Source: https://github.com/google/sentencepiece (src/normalizer.cc).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "steps/charsmap.h"
#include "steps/steps.h"

namespace headway {

struct SentencePieceOptions {
    std::optional<Charsmap> rules;     // the longest match at each place is replaced
    std::vector<std::string> symbols;  // neither normalized nor cut
    bool remove_spaces = true;         // all but one between words
    bool escape_spaces = true;         // spaces become U+2581
    bool dummy_prefix = true;          // puts a space before the text
    bool space_as_suffix = false;      // or rather behind it
};

NormalizerPtr sentencepiece_normalizer(SentencePieceOptions options);

}  // namespace headway
