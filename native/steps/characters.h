// Changes of a text character by character, that several steps share.
#pragma once

#include <algorithm>
#include <utility>

#include "text/aligned_text.h"

namespace headway {

// Stands for a character that is taken out.
inline constexpr char32_t kDeleted = 0xFFFFFFFF;

inline bool is_ascii(std::u32string_view text) {
    char32_t all = 0;
    for (const char32_t code : text) all |= code;
    return all < 128;
}

// Replaces each character by what `change` says.
template <class Change>
void map_characters(AlignedText& text, const Change& change) {
    const size_t size = text.text.size();
    size_t at = 0;
    for (; at < size; ++at) {
        const char32_t changed = change(text.text[at]);
        if (changed == kDeleted) break;
        text.text[at] = changed;
    }
    if (at == size) return;
    Draft draft;
    draft.reserve(size);
    draft.copy(text.text, 0, at);
    for (; at < size; ++at) {
        const char32_t changed = change(text.text[at]);
        if (changed != kDeleted) draft.add(changed, at);
    }
    text.become(std::move(draft));
}

// Writes each character as those of its UTF-8 bytes.
void to_byte_alphabet(AlignedText& text);

void to_lowercase(AlignedText& text);

}  // namespace headway
