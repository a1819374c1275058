// Learns byte-pair encoding, and WordPiece by the same way: the pair of neighbouring tokens that
// comes most often becomes a token, again and again.
//
// Source: Sennrich et al. 2016. Vocabulary, ids and merges are those of the `tokenizers` package
// (BpeTrainer), whose rules are: special tokens come first, then the characters by code point; of
// pairs that come equally often the one with the smaller ids goes first. One of its habits matters:
// a token can arise in two ways (ab+c, a+bc), and each time the pairs with its neighbours queue
// anew, with the words of that time only, while their counts add up, those of pairs that have been
// merged before included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "training/watch.h"
#include "training/word_list.h"

namespace headway {

struct BpeTraining {
    size_t size = 30000;               // of the vocabulary, which ends sooner if pairs run out
    uint64_t least_count = 0;          // of a pair that is merged
    size_t longest_token = SIZE_MAX;   // tokens of three characters or more are shorter than this
    std::optional<size_t> most_characters;  // the most frequent ones; others are left out of words
    std::vector<char32_t> alphabet;    // characters that are there in any case
    std::vector<std::string> special;  // tokens that come first
    std::string prefix;                // of tokens that do not begin a word
    bool is_bytes = false;             // words are bytes, each of which is written as a character
};

struct TrainedBpe {
    bool is_done = false;             // false where the watch ended it
    std::vector<std::string> tokens;  // by id
    std::vector<std::pair<uint32_t, uint32_t>> merges;
    uint64_t pieces = 0;  // tokens that the words have come to, counted as often as they come
};

TrainedBpe train_bpe(const WordList& words, const BpeTraining& options, Watch& watch);

}  // namespace headway
