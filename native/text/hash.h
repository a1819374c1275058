// Hashes of bytes; good enough for tables, not for secrets.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace headway {

// The two halves of a product of 128 bits, folded: every bit of it depends on all of both factors.
inline uint64_t folded_product(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline constexpr uint64_t kHashA = 0x9E3779B97F4A7C15u, kHashB = 0xE7037ED1A0B428DBu;

inline uint64_t hash_bytes(std::string_view bytes) {
    const char* at = bytes.data();
    size_t left = bytes.size();
    uint64_t state = kHashA ^ left, a = 0, b = 0;
    for (; left > 16; left -= 16, at += 16) {
        std::memcpy(&a, at, 8);
        std::memcpy(&b, at + 8, 8);
        state = folded_product(a ^ state, b ^ kHashB);
    }
    a = b = 0;
    if (left >= 8) {
        std::memcpy(&a, at, 8);
        std::memcpy(&b, at + left - 8, 8);
    } else if (left) {
        std::memcpy(&a, at, left);
    }
    return folded_product(a ^ state, b ^ kHashB);
}

}  // namespace headway
