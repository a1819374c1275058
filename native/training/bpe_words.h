// The words that byte-pair encoding is learnt from, as tokens; each merge makes some shorter.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "training/bpe_trainer.h"
#include "training/word_list.h"

namespace headway {

// The tokens there are so far.
class TokenTable {
   public:
    // The id of a token, which is added if it is not there yet; `length` is how many characters of
    // a word it stands for.
    uint32_t add(const std::string& token, uint32_t length);

    size_t size() const { return tokens_.size(); }
    const std::string& token(uint32_t id) const { return tokens_[id]; }
    uint32_t length(uint32_t id) const { return lengths_[id]; }
    std::vector<std::string> release() { return std::move(tokens_); }

   private:
    std::unordered_map<std::string, uint32_t> ids_;
    std::vector<std::string> tokens_;
    std::vector<uint32_t> lengths_;
};

struct BpeWord {
    size_t start;  // among all symbols
    uint32_t size;
    uint64_t count;
};

struct BpeWords {
    std::vector<uint32_t> symbols;
    std::vector<BpeWord> words;
};

// Fills the table with special tokens and characters, and writes the words in them.
BpeWords first_tokens(const WordList& words, const BpeTraining& options, TokenTable& tokens);

}  // namespace headway
