// Added tokens: strings that become one token before anything else happens to a text.
//
// They are found by the leftmost, then longest match, in one walk over the text however many there
// are. The readable twin is src/headway/tokenizer/added_tokens.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/trie.h"
#include "steps/prefix_filter.h"

namespace headway {

struct AddedToken {
    uint32_t id = 0;
    std::string form;          // what is looked for, UTF-8
    bool single_word = false;  // it must not touch letters or digits
    bool lstrip = false, rstrip = false;  // it takes in the spaces before, after it
};

// A match, in bytes; `token` is a place in the finder's list. It may be empty, or end before it
// starts, where the token before it has taken in what matched.
struct Match {
    size_t start, end;  // with the spaces that it takes in
    size_t matched;     // where the token itself ends, and the search for the next one begins
    uint32_t token;
};

class TokenFinder {
   public:
    // `alias` says as which byte each byte of a text may count; without it, as itself.
    explicit TokenFinder(std::vector<AddedToken> tokens, const ByteAlias* alias = nullptr);

    bool empty() const { return tokens_.empty(); }
    const AddedToken& token(uint32_t number) const { return tokens_[number]; }
    // Whether what stands before or behind a token matters to some.
    bool looks_around() const { return looks_around_; }

    // The first match at `from` or behind it, in checked UTF-8; false where there is none. Spaces
    // that a match takes in before it begin at `place` at the earliest. `exchange`
    // says whether bytes count as the alias says.
    bool next(std::string_view text, size_t place, size_t from, Match& match,
              bool exchange = false) const;

   private:
    class Places;
    template <class Byte>
    bool longest(std::string_view text, size_t start, Match& match, const Byte& byte) const;
    template <class NextPlace, class Byte>
    bool next_with(std::string_view text, size_t from, Match& match, const NextPlace& next_place,
                   const Byte& byte) const;
    size_t next_first_byte(std::string_view text, size_t from) const;

    std::vector<AddedToken> tokens_;
    Trie trie_;
    PrefixFilter filter_;
    std::vector<unsigned char> first_bytes_;
    ByteAlias alias_{};
    bool looks_around_ = false;
};

}  // namespace headway
