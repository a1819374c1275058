#include "steps/characters.h"

#include "text/byte_alphabet.h"
#include "text/utf8.h"
#include "unicode/lowercase.h"

namespace headway {

void to_byte_alphabet(AlignedText& text) {
    const auto& alphabet = byte_alphabet();
    if (is_ascii(text.text)) {
        for (char32_t& code : text.text) code = alphabet[code];
        return;
    }
    Draft draft;
    draft.reserve(2 * text.text.size());
    std::string bytes;
    for (size_t i = 0; i < text.text.size(); ++i) {
        bytes.clear();
        append_utf8(bytes, text.text[i]);
        for (const char byte : bytes) draft.add(alphabet[static_cast<unsigned char>(byte)], i);
    }
    text.become(std::move(draft));
}

void to_lowercase(AlignedText& text) {
    if (text.text.find(kDottedCapitalI) == text.text.npos) {
        for (char32_t& code : text.text) {
            code = code < 128 ? code + (code - 'A' < 26 ? 32 : 0) : lowercase(code);
        }
        return;
    }
    Draft draft;
    draft.reserve(text.text.size());
    for (size_t i = 0; i < text.text.size(); ++i) {
        draft.add(lowercase(text.text[i]), i);
        if (text.text[i] == kDottedCapitalI) draft.add(kDotAbove, i);
    }
    text.become(std::move(draft));
}

}  // namespace headway
