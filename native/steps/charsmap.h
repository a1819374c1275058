// SentencePiece's precompiled normalization rules: a double-array trie and its replacements.
//
// Layout: see src/headway/tokenizer/charsmap.py. A table may be damaged or hostile: nothing is read
// that is not in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

class Charsmap {
   public:
    // Nothing where the table is too short to hold its trie.
    static std::optional<Charsmap> read(std::string_view table);

    struct Match {
        size_t size = 0;  // in bytes; 0 where nothing matches
        uint32_t value = 0;
    };

    // The shortest rule that matches the beginning of UTF-8.
    Match shortest(std::string_view text) const;
    // The longest one that ends where a character ends.
    Match longest(std::string_view text) const;

    // What a match is replaced by.
    std::u32string replacement(const Match& match) const;

   private:
    // Calls `found` with each match, shortest first, until it says false.
    template <class Found>
    void matches(std::string_view text, const Found& found) const;

    std::vector<uint32_t> units_;
    std::string replacements_;
};

}  // namespace headway
