// Which of 64 bytes are a given byte, as one bit a byte.
#pragma once

#include <cstddef>
#include <cstdint>

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

   private:
#ifdef __SSE2__
    __m128i parts_[4];
#else
    char bytes_[kMasked];
#endif
};

}  // namespace headway
