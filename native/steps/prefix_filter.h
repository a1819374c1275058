// Where in a text one of many strings may begin. What it lets pass must still be compared; what it
// holds back is none of them.
//
// A string can only begin where as many bytes as it has, eight at most, are of the kinds (letters,
// digits and so on) that such strings are made of: that is told for all places at once. Of the
// places left, a hash of the first bytes is looked up.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "steps/ascii_masks.h"

namespace headway {

// As which byte each byte of a text counts once it is normalized.
using ByteAlias = std::array<unsigned char, 256>;

class PrefixFilter {
   public:
    static constexpr size_t kPlaces = 56;  // that are looked at together
    static constexpr size_t kSeen = 64;    // bytes that must be readable for that

    PrefixFilter() = default;
    // For texts in which bytes may count as `alias` says, or as themselves; null for the latter.
    PrefixFilter(const std::vector<std::string_view>& strings, const ByteAlias* alias);

    // A bit for each of the places from `text` on: whether a string may begin there. `exchange` says
    // whether bytes count as the alias says.
    uint64_t candidates(const unsigned char* text, bool exchange) const;

   private:
    // Strings of about one length, told apart by as many first bytes as the shortest has.
    struct Group {
        size_t width = 8;
        uint64_t mask = 0;           // of those bytes
        unsigned shift = 0;          // of a hash, so that it is a place among the bits
        std::vector<uint64_t> bits, second_bits;  // whether a string begins so, by two hashes
        // All ones for the kinds of bytes that are among the first ones; `others` are of no kind,
        // and stand for any.
        uint64_t letters = 0, digits = 0, spaces = 0, punctuation = 0, high = 0, others = 0;

        void use(unsigned char byte);
        uint64_t possible(const AsciiMasks& is) const;
    };

    std::vector<Group> groups_;
    ByteAlias alias_{};
    bool folds_ = true;         // whether the hash takes all bytes for what they count as
    bool only_letters_ = true;  // whether the first bytes of all strings are ASCII letters
};

}  // namespace headway
