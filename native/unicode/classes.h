// What a character is, at the versions of Unicode that the readable twin follows: see
// src/headway/tokenizer/unicode_tables.py.
#pragma once

#include <cstdint>

#include "unicode/two_stages.h"

namespace headway {

// The classes of regular expressions know no character that is newer than Unicode 16.
enum CharacterClass : uint32_t {
    kClassUpper = 1 << 0,        // \p{Lu}
    kClassLower = 1 << 1,        // \p{Ll}
    kClassTitle = 1 << 2,        // \p{Lt}
    kClassModifier = 1 << 3,     // \p{Lm}
    kClassCaseless = 1 << 4,     // \p{Lo}
    kClassMark = 1 << 5,         // \p{M}
    kClassNumber = 1 << 6,       // \p{N}
    kClassPunctuation = 1 << 7,  // \p{P}
    kClassSymbol = 1 << 8,       // \p{S}
    kClassSpace = 1 << 9,        // \s, which is the property White_Space
    kClassWord = 1 << 10,        // \w
    kClassHan = 1 << 11,
    kClassHiragana = 1 << 12,
    kClassKatakana = 1 << 13,
    // The frozen sets of the fixed steps.
    kClassBertPunctuation = 1 << 14,
    kClassBertControl = 1 << 15,
    kClassBertNonspacing = 1 << 16,
    kClassBertChinese = 1 << 17,
    kClassCombiningMark = 1 << 18,  // M* of Unicode 9
    kClassDigit = 1 << 19,          // N* of Unicode 17
    // What a normal form may change, move, or join to what stands before it.
    kClassUnstableNfc = 1 << 20,
    kClassUnstableNfd = 1 << 21,
    kClassUnstableNfkc = 1 << 22,
    kClassUnstableNfkd = 1 << 23,
};

#define HEADWAY_CLASSES
#include "unicode/tables.inc"
#undef HEADWAY_CLASSES

// The set of a character's classes.
inline uint32_t classes(char32_t code) { return kClassBits[kClass[code]]; }

inline bool is_any_of(char32_t code, uint32_t set) { return (classes(code) & set) != 0; }

inline constexpr uint32_t kClassLetter =
    kClassUpper | kClassLower | kClassTitle | kClassModifier | kClassCaseless;

inline bool is_letter(char32_t code) { return is_any_of(code, kClassLetter); }
inline bool is_mark(char32_t code) { return is_any_of(code, kClassMark); }
inline bool is_number(char32_t code) { return is_any_of(code, kClassNumber); }
inline bool is_space(char32_t code) { return is_any_of(code, kClassSpace); }
inline bool is_word_character(char32_t code) { return is_any_of(code, kClassWord); }
inline bool is_punctuation_or_symbol(char32_t code) {
    return is_any_of(code, kClassPunctuation | kClassSymbol);
}
// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
inline bool is_upper_or_caseless(char32_t code) {
    return is_any_of(code,
                     kClassUpper | kClassTitle | kClassModifier | kClassCaseless | kClassMark);
}
// [\p{Ll}\p{Lm}\p{Lo}\p{M}]
inline bool is_lower_or_caseless(char32_t code) {
    return is_any_of(code, kClassLower | kClassModifier | kClassCaseless | kClassMark);
}

}  // namespace headway
