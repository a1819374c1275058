// UTF-8 to code points and back. Functions that decode expect checked text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace headway {

// The place of the first byte that is not UTF-8, or text.size() where all is.
size_t first_invalid_utf8(std::string_view text);

// Whether text is UTF-8 without NUL.
bool is_clean_utf8(std::string_view text);

// How many bytes the character that begins with this byte has.
inline size_t utf8_length(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

inline bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Decodes the character at `at`, which moves behind it.
inline char32_t next_code_point(const unsigned char* text, size_t& at) {
    const unsigned char lead = text[at];
    if (lead < 0x80) return text[at++];
    if (lead < 0xE0) {
        const char32_t code = char32_t(lead & 0x1F) << 6 | (text[at + 1] & 0x3F);
        at += 2;
        return code;
    }
    if (lead < 0xF0) {
        const char32_t code = char32_t(lead & 0x0F) << 12 | char32_t(text[at + 1] & 0x3F) << 6 |
                              (text[at + 2] & 0x3F);
        at += 3;
        return code;
    }
    const char32_t code = char32_t(lead & 0x07) << 18 | char32_t(text[at + 1] & 0x3F) << 12 |
                          char32_t(text[at + 2] & 0x3F) << 6 | (text[at + 3] & 0x3F);
    at += 4;
    return code;
}

// Writes one code point behind `out`.
inline void append_utf8(std::string& out, char32_t code) {
    if (code < 0x80) {
        out.push_back(char(code));
    } else if (code < 0x800) {
        out.push_back(char(0xC0 | code >> 6));
        out.push_back(char(0x80 | (code & 0x3F)));
    } else if (code < 0x10000) {
        out.push_back(char(0xE0 | code >> 12));
        out.push_back(char(0x80 | (code >> 6 & 0x3F)));
        out.push_back(char(0x80 | (code & 0x3F)));
    } else {
        out.push_back(char(0xF0 | code >> 18));
        out.push_back(char(0x80 | (code >> 12 & 0x3F)));
        out.push_back(char(0x80 | (code >> 6 & 0x3F)));
        out.push_back(char(0x80 | (code & 0x3F)));
    }
}

std::u32string decode_utf8(std::string_view text);

// Of text that has not been checked: as much as could begin a character, but does not go on as one,
// becomes U+FFFD (the Unicode Standard, chapter 3.9, "maximal subparts").
std::u32string decode_any_utf8(std::string_view text);

std::string encode_utf8(std::u32string_view text);

}  // namespace headway
