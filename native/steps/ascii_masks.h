// What 64 bytes are, as one bit a byte: the fast paths find words by arithmetic on these.
#pragma once

#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace headway {

struct AsciiMasks {
    uint64_t letters = 0;      // a-z A-Z
    uint64_t digits = 0;       // 0-9
    uint64_t spaces = 0;       // space and \t \n \v \f \r
    uint64_t blanks = 0;       // space alone
    uint64_t punctuation = 0;  // printable, no letter, digit or space
    uint64_t breaks = 0;       // \t \n \r
    uint64_t apostrophes = 0;  // '
    uint64_t high = 0;         // not ASCII
};

// The masks of 64 bytes.
inline AsciiMasks ascii_masks(const unsigned char* text) {
    AsciiMasks masks;
#ifdef __SSE2__
    for (int part = 0; part < 4; ++part) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 16 * part));
        const auto in_range = [](__m128i x, int low, int high) {
            const auto from_low = _mm_sub_epi8(x, _mm_set1_epi8(char(low)));
            const auto top = _mm_set1_epi8(char(high - low));
            return _mm_cmpeq_epi8(_mm_min_epu8(from_low, top), from_low);
        };
        const auto bits = [part](__m128i x) {
            return uint64_t(uint32_t(_mm_movemask_epi8(x))) << 16 * part;
        };
        const auto lowered = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        const auto letters = in_range(lowered, 'a', 'z');
        const auto digits = in_range(bytes, '0', '9');
        const auto blanks = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
        const auto controls = in_range(bytes, 9, 13);
        const auto printable = in_range(bytes, 0x21, 0x7E);
        masks.letters |= bits(letters);
        masks.digits |= bits(digits);
        masks.spaces |= bits(_mm_or_si128(blanks, controls));
        masks.blanks |= bits(blanks);
        masks.punctuation |= bits(_mm_andnot_si128(_mm_or_si128(letters, digits), printable));
        masks.breaks |= bits(_mm_or_si128(in_range(bytes, 9, 10),
                                          _mm_cmpeq_epi8(bytes, _mm_set1_epi8(13))));
        masks.apostrophes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\'')));
        masks.high |= bits(bytes);
    }
#else
    for (int i = 0; i < 64; ++i) {
        const unsigned char byte = text[i], lowered = byte | 0x20;
        const uint64_t bit = uint64_t(1) << i;
        if (lowered >= 'a' && lowered <= 'z') masks.letters |= bit;
        else if (byte >= '0' && byte <= '9') masks.digits |= bit;
        else if (byte > 0x20 && byte < 0x7F) masks.punctuation |= bit;
        if (byte == ' ' || (byte >= 9 && byte <= 13)) masks.spaces |= bit;
        if (byte == ' ') masks.blanks |= bit;
        if (byte == 9 || byte == 10 || byte == 13) masks.breaks |= bit;
        if (byte == '\'') masks.apostrophes |= bit;
        if (byte >= 128) masks.high |= bit;
    }
#endif
    return masks;
}

}  // namespace headway
