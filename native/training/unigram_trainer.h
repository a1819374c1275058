// Learns a Unigram model: from many pieces, those that the text can do without are taken away.
//
// Source: Kudo 2018 and SentencePiece: candidates are all strings that come again; rounds of
// expectation and maximization fit their probabilities, and a quarter of them is taken away at a
// time, those whose loss costs the text the least likelihood.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "training/watch.h"
#include "training/word_list.h"

namespace headway {

struct UnigramTraining {
    size_t size = 8000;           // pieces, all characters of the alphabet included
    std::u32string alphabet;      // in any order; other characters are in no piece
    uint32_t longest_piece = 16;  // in characters
    size_t candidates = 1000000;  // strings to begin with
    size_t threads = 1;           // the result does not depend on them
};

struct TrainedUnigram {
    bool is_done = false;                                // false where the watch ended it
    std::vector<std::pair<std::string, double>> pieces;  // with their scores, the highest first
};

TrainedUnigram train_unigram(const WordList& words, const UnigramTraining& options, Watch& watch);

}  // namespace headway
