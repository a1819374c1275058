// Tokens like <0xC3>, which write a character that is not in the vocabulary byte by byte.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace headway {

// Byte -> what `find` gives for its token.
template <class Find>
std::array<uint32_t, 256> byte_tokens(const Find& find) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::array<uint32_t, 256> ids;
    for (unsigned byte = 0; byte < 256; ++byte) {
        ids[byte] = find(std::string{'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'});
    }
    return ids;
}

}  // namespace headway
