// The published split patterns, matched by hand instead of by a pattern engine.
//
// Every one of them matches any character, so a pattern cuts a text into words without gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace headway {

class Splitter {
   public:
    virtual ~Splitter() = default;
    // Cuts checked UTF-8 from `at` on, which moves along: writes where words end, at most
    // `capacity` of them, and returns how many. Nothing is left when it returns 0.
    virtual size_t cut(const unsigned char* text, size_t size, size_t& at, uint32_t* ends,
                       size_t capacity) const = 0;
};

using SplitterPtr = std::shared_ptr<const Splitter>;

// The splitter of a regular expression as it stands in tokenizer.json files (GPT-2, GPT-4, GPT-4o,
// Llama 3, Qwen 2), or of several that cut one after the other, joined by line ends (DeepSeek V3);
// null where nobody has written it by hand.
SplitterPtr published_splitter(std::string_view pattern);

// Each digit alone, or runs of digits, and what stands between them.
SplitterPtr digit_splitter(bool individual);

// Cuts with one splitter, then each of its words with the next.
SplitterPtr chained(SplitterPtr first, SplitterPtr second);

}  // namespace headway
