#include "text/utf8.h"

#include <cstring>

#include "text/masks.h"

namespace headway {

namespace {

// Whether a byte may be the second of a character: none of an overlong one, half of a surrogate
// pair, beyond Unicode.
bool may_follow(unsigned char lead, unsigned char second) {
    return is_continuation(second) && !(lead == 0xE0 && second < 0xA0) &&
           !(lead == 0xED && second > 0x9F) && !(lead == 0xF0 && second < 0x90) &&
           !(lead == 0xF4 && second > 0x8F);
}

// How many bytes of what is not UTF-8 could have begun a character; at least one.
size_t broken_length(const unsigned char* text, size_t size) {
    const unsigned char lead = text[0];
    if (lead < 0xC2 || lead > 0xF4 || size < 2 || !may_follow(lead, text[1])) return 1;
    return lead >= 0xF0 && size > 2 && is_continuation(text[2]) ? 3 : 2;
}

// The bytes of the character beyond ASCII that a text begins with, or 0 where it begins with none.
size_t length_of_character(const unsigned char* text, size_t size) {
    const unsigned char lead = text[0];
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const size_t length = utf8_length(lead);
    if (length > size || !may_follow(lead, text[1])) return 0;
    for (size_t i = 2; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
    }
    return length;
}

}  // namespace

size_t first_invalid_utf8(std::string_view view) {
    const auto* text = reinterpret_cast<const unsigned char*>(view.data());
    const size_t size = view.size();
    size_t at = 0;
    while (at < size) {
        if (at + 32 <= size) {  // most text is ASCII for long stretches
            uint64_t words[4];
            std::memcpy(words, text + at, 32);
            if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) == 0) {
                at += 32;
                continue;
            }
        }
        if (text[at] < 0x80) {
            ++at;
            continue;
        }
        const size_t length = length_of_character(text + at, size - at);
        if (length == 0) return at;
        at += length;
    }
    return size;
}

bool is_clean_utf8(std::string_view view) {
    const auto* text = reinterpret_cast<const unsigned char*>(view.data());
    size_t at = 0;
    while (at < view.size()) {
        size_t end = view.size();
        if (at + kMasked <= view.size()) {
            const Bytes64 bytes(view.data() + at);
            if (bytes.equal_to(0)) return false;
            end = at + kMasked;
            if (!bytes.high()) {
                at = end;
                continue;
            }
        }
        while (at < end) {
            const size_t length =
                text[at] < 0x80 ? text[at] != 0 : length_of_character(text + at, view.size() - at);
            if (length == 0) return false;
            at += length;
        }
    }
    return true;
}

std::u32string decode_utf8(std::string_view view) {
    const auto* text = reinterpret_cast<const unsigned char*>(view.data());
    std::u32string out;
    out.reserve(view.size());
    for (size_t at = 0; at < view.size();) out.push_back(next_code_point(text, at));
    return out;
}

std::u32string decode_any_utf8(std::string_view view) {
    const auto* text = reinterpret_cast<const unsigned char*>(view.data());
    std::u32string out;
    for (size_t at = 0; at < view.size();) {
        const size_t valid = at + first_invalid_utf8(view.substr(at));
        while (at < valid) out.push_back(next_code_point(text, at));
        if (at == view.size()) break;
        out.push_back(0xFFFD);
        at += broken_length(text + at, view.size() - at);
    }
    return out;
}

std::string encode_utf8(std::u32string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char32_t code : text) append_utf8(out, code);
    return out;
}

}  // namespace headway
