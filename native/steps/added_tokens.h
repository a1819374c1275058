// Added tokens: strings that become one token before anything else happens to a text.
//
// They are found by the leftmost, then longest match, in one walk over the text however many there
// are. The readable twin is src/headway/tokenizer/added_tokens.py.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/trie.h"

namespace headway {

struct AddedToken {
    uint32_t id = 0;
    std::string form;          // what is looked for, UTF-8
    bool single_word = false;  // it must not touch letters or digits
    bool lstrip = false, rstrip = false;  // it takes in the spaces before, after it
};

// A match, in bytes; `token` is a place in the finder's list.
struct Match {
    size_t start, end;  // with the spaces that it takes in
    size_t matched;     // where the token itself ends, and the search for the next one begins
    uint32_t token;
};

class TokenFinder {
   public:
    explicit TokenFinder(std::vector<AddedToken> tokens);

    bool empty() const { return tokens_.empty(); }
    const AddedToken& token(uint32_t number) const { return tokens_[number]; }

    // The first match at `from` or behind it, in checked UTF-8; false where there is none. Spaces
    // that a match takes in before it begin at `place` at the earliest. `alias` says as which byte
    // each byte of the text counts; without it, as itself.
    bool next(std::string_view text, size_t place, size_t from, Match& match,
              const std::array<unsigned char, 256>* alias = nullptr) const;

   private:
    template <class Byte>
    bool longest(std::string_view text, size_t start, Match& match, const Byte& byte) const;
    template <class Byte>
    bool next_with(std::string_view text, size_t from, bool few, Match& match,
                   const Byte& byte) const;
    size_t next_candidate(std::string_view text, size_t from) const;
    bool may_begin(uint32_t first_bytes) const {
        const uint32_t hash = ((first_bytes & prefix_mask_) * 0x9E3779B1u) >> 15;
        return prefixes_[hash >> 6] >> (hash & 63) & 1;
    }

    std::vector<AddedToken> tokens_;
    Trie trie_;
    std::vector<uint64_t> prefixes_;  // a bit for each hash of the first bytes of a token
    uint32_t prefix_mask_ = 0;        // which of four bytes every token has
    std::vector<unsigned char> first_bytes_;
};

}  // namespace headway
