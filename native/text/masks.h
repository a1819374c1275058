// Which of 64 bytes are a given byte, as one bit a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace headway {

inline constexpr size_t kMasked = 64;

class Bytes64 {
   public:
    explicit Bytes64(const char* text) {
#ifdef __SSE2__
        for (int i = 0; i < 4; ++i) {
            parts_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 16 * i));
        }
#else
        for (size_t i = 0; i < kMasked; ++i) bytes_[i] = text[i];
#endif
    }

    uint64_t equal_to(char byte) const {
        uint64_t mask = 0;
#ifdef __SSE2__
        const auto wanted = _mm_set1_epi8(byte);
        for (int i = 0; i < 4; ++i) {
            const auto equal = _mm_movemask_epi8(_mm_cmpeq_epi8(parts_[i], wanted));
            mask |= uint64_t(uint32_t(equal)) << 16 * i;
        }
#else
        for (size_t i = 0; i < kMasked; ++i) mask |= uint64_t(bytes_[i] == byte) << i;
#endif
        return mask;
    }

    // Bytes that begin or continue characters beyond ASCII.
    uint64_t high() const {
        uint64_t mask = 0;
#ifdef __SSE2__
        for (int i = 0; i < 4; ++i) {
            mask |= uint64_t(uint32_t(_mm_movemask_epi8(parts_[i]))) << 16 * i;
        }
#else
        for (size_t i = 0; i < kMasked; ++i) mask |= uint64_t((bytes_[i] & 0x80) != 0) << i;
#endif
        return mask;
    }

   private:
#ifdef __SSE2__
    __m128i parts_[4];
#else
    char bytes_[kMasked];
#endif
};

// How often a byte comes.
inline size_t count_byte(std::string_view text, char byte) {
    size_t count = 0, at = 0;
#ifdef __SSE2__
    const auto wanted = _mm_set1_epi8(byte), zero = _mm_setzero_si128();
    while (at + 16 <= text.size()) {
        auto counts = zero;  // 16 counts, each below 256
        for (int i = 0; i < 255 && at + 16 <= text.size(); ++i, at += 16) {
            const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&text[at]));
            counts = _mm_sub_epi8(counts, _mm_cmpeq_epi8(bytes, wanted));
        }
        const auto sums = _mm_sad_epu8(counts, zero);
        count += size_t(_mm_cvtsi128_si64(sums)) +
                 size_t(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
    }
#endif
    for (; at < text.size(); ++at) count += text[at] == byte;
    return count;
}

}  // namespace headway
