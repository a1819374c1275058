// A piece of text that knows, character by character, where in the original text it comes from.
//
// Everything that changes a text before it is cut into tokens goes through the operations here, so
// that a token can always be traced back. The conventions are those of the readable twin,
// src/headway/tokenizer/aligned_text.py:
//   - a character that replaces another stands for what the other stood for;
//   - an inserted character stands for what its left neighbour stands for, and for what its right
//     neighbour stands for at the beginning of the text;
//   - a deleted character is covered by no token;
//   - a composed character (e + accent) stands for its first part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headway {

using Span = std::pair<uint32_t, uint32_t>;  // half-open: [first, second)

// A text that is being rebuilt: its characters, and which character each of them comes from.
struct Draft {
    std::u32string text;
    std::vector<uint32_t> sources;

    void reserve(size_t size) {
        text.reserve(size);
        sources.reserve(size);
    }
    void add(char32_t character, size_t source) {
        text.push_back(character);
        sources.push_back(uint32_t(source));
    }
    // Characters start..end of another text as they are.
    void copy(std::u32string_view from, size_t start, size_t end);
};

class AlignedText {
   public:
    AlignedText() = default;
    explicit AlignedText(std::u32string text, uint32_t shift = 0) : text(std::move(text)), shift(shift) {}

    // A text that stands for nothing, between two characters of the original.
    static AlignedText inserted(std::u32string text, uint32_t place);

    std::u32string text;

    // Where in the original text this piece begins.
    uint32_t origin() const { return starts.empty() ? shift : starts[0]; }

    // The original characters that characters start..end stand for.
    Span span(uint32_t start, uint32_t end) const;

    // Characters start..end as a piece of their own.
    AlignedText slice(uint32_t start, uint32_t end) const;

    // Becomes the draft that was made of it.
    void become(Draft draft);

    // Puts `content` before a text that is not empty.
    void prepend(std::u32string_view content);

    // Replaces each of the spans, which are in order, by `content`, all of which stands for the last
    // character of what it replaces.
    void substitute(const std::vector<Span>& spans, std::u32string_view content);

   private:
    // Without alignments, character i stands for original character shift + i.
    std::vector<uint32_t> starts, ends;
    uint32_t shift = 0;
};

}  // namespace headway
