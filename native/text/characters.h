// Counting the characters of UTF-8.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace headway {

// How many characters begin in these bytes.
inline uint32_t count_characters(std::string_view bytes) {
    uint32_t count = 0;
    for (const char byte : bytes) count += static_cast<signed char>(byte) >= -64;
    return count;
}

inline bool is_ascii(std::string_view bytes) {
    unsigned char all = 0;
    for (const char byte : bytes) all |= static_cast<unsigned char>(byte);
    return all < 128;
}

// What most ASCII text is made of: printable characters, tabs and \n.
constexpr bool is_usual(unsigned char byte) {
    return (byte >= ' ' && byte < 0x7F) || byte == '\t' || byte == '\n';
}

inline bool is_usual(std::string_view bytes) {
    unsigned char unusual = 0;
    for (const char byte : bytes) unusual |= !is_usual(static_cast<unsigned char>(byte));
    return !unusual;
}

// The character that each byte belongs to.
inline void number_characters(std::string_view bytes, std::vector<uint32_t>& places) {
    places.resize(bytes.size());
    uint32_t character = UINT32_MAX;
    for (size_t i = 0; i < bytes.size(); ++i) {
        character += !is_continuation(static_cast<unsigned char>(bytes[i]));
        places[i] = character;
    }
}

}  // namespace headway
