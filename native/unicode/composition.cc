#include "unicode/composition.h"

#include <algorithm>
#include <iterator>

#include "unicode/two_stages.h"

namespace headway {

namespace {

#define HEADWAY_NORMAL_FORMS
#include "unicode/tables.inc"

constexpr char32_t kSyllables = 0xAC00, kLeading = 0x1100, kVowels = 0x1161, kTrailing = 0x11A7;
constexpr char32_t kLeadingCount = 19, kVowelCount = 21, kTrailingCount = 28;  // one means none
constexpr char32_t kSyllableCount = kLeadingCount * kVowelCount * kTrailingCount;

// Unsigned, so that one comparison is enough: what is below `first` is far above.
bool in_range(char32_t code, char32_t first, char32_t count) { return code - first < count; }

std::u32string_view hangul_letters(char32_t code, HangulLetters& room) {
    const char32_t number = code - kSyllables, trailing = number % kTrailingCount;
    const char32_t pair = number / kTrailingCount;
    room[0] = kLeading + pair / kVowelCount;
    room[1] = kVowels + pair % kVowelCount;
    room[2] = kTrailing + trailing;
    return {room, size_t(trailing ? 3 : 2)};
}

char32_t hangul_syllable(char32_t first, char32_t second) {
    if (in_range(first, kLeading, kLeadingCount) && in_range(second, kVowels, kVowelCount)) {
        const char32_t pair = (first - kLeading) * kVowelCount + (second - kVowels);
        return kSyllables + pair * kTrailingCount;
    }
    const bool is_open = in_range(first, kSyllables, kSyllableCount) &&
                         (first - kSyllables) % kTrailingCount == 0;
    if (is_open && in_range(second, kTrailing + 1, kTrailingCount - 1)) {
        return first + (second - kTrailing);
    }
    return 0;
}

}  // namespace

uint8_t combining_class(char32_t code) { return kCombiningClass[code]; }

std::u32string_view decomposition(char32_t code, bool compatible, HangulLetters& room) {
    if (in_range(code, kSyllables, kSyllableCount)) return hangul_letters(code, room);
    const uint32_t parts = compatible ? kCompatibleParts[kCompatible[code]]
                                      : kCanonicalParts[kCanonical[code]];
    if (parts) return {kDecomposed + (parts >> 5), parts & 31};
    room[0] = code;
    return {room, 1};
}

char32_t composition(char32_t first, char32_t second) {
    const char32_t syllable = hangul_syllable(first, second);
    if (syllable) return syllable;
    const uint64_t pair = uint64_t(first) << 32 | second;
    const auto* found = std::lower_bound(std::begin(kPairs), std::end(kPairs), pair);
    return found != std::end(kPairs) && *found == pair ? kComposed[found - std::begin(kPairs)] : 0;
}

}  // namespace headway
