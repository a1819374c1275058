// The alphabet of byte-level vocabularies: each of the 256 bytes as one printable character.
//
// Source: GPT-2's encoder.py (Radford et al. 2019). Bytes that are printable in Latin-1 keep their
// character; the others get the characters from U+0100 on, in order: a space is U+0120.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace headway {

// Byte -> its character.
const std::array<char16_t, 256>& byte_alphabet();

// The bytes that a UTF-8 text in this alphabet stands for; false where it is not in the alphabet.
bool from_byte_alphabet(std::string_view text, std::string& bytes);

}  // namespace headway
