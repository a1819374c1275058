// Counted words as runs of characters that a piece can be made of: as in SentencePiece, a piece has
// letters of one script, or digits and punctuation; a mark of a word's beginning goes with all.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "training/word_list.h"

namespace headway {

struct Runs {
    static constexpr uint32_t kLongest = 32;  // characters; longer ones are cut

    std::vector<uint32_t> symbols;  // places in the alphabet, run after run
    std::vector<uint64_t> starts;   // of each run, and the end of the last one
    std::vector<uint64_t> counts;   // of each run

    size_t size() const { return counts.size(); }
    uint32_t length(size_t run) const { return uint32_t(starts[run + 1] - starts[run]); }
};

// The distinct runs of some words, in the order of their symbols. Characters that are not in the
// alphabet, which is sorted, are left out; no run goes over one.
Runs runs_of(const WordList& words, std::u32string_view alphabet);

}  // namespace headway
