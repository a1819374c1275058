// Small letters, character by character.
#pragma once

namespace headway {

// The only capital whose small letter is two characters: i and a dot above.
inline constexpr char32_t kDottedCapitalI = 0x130;
inline constexpr char32_t kDotAbove = 0x307;

// The small letter of a capital, any other character as it is; of U+0130 the first of its two.
char32_t lowercase(char32_t code);

}  // namespace headway
