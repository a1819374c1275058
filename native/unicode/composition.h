// Taking characters apart and putting them together, fixed at Unicode 9.
//
// Source: the Unicode Standard, chapter 3.11 and 3.12 (https://www.unicode.org/reports/tr15/).
#pragma once

#include <cstdint>
#include <string_view>

namespace headway {

// The place of a mark among the marks of a character; 0 for what is no such mark.
uint8_t combining_class(char32_t code);

// Three letters at most make a Hangul syllable.
using HangulLetters = char32_t[3];

// What a character is taken apart into, all the way; itself where it cannot be. `room` holds what
// is in no table.
std::u32string_view decomposition(char32_t code, bool compatible, HangulLetters& room);

// The character that two compose to, or 0.
char32_t composition(char32_t first, char32_t second);

}  // namespace headway
