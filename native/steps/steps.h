// The steps before the model: a normalizer changes a text, a pre-tokenizer cuts it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"

namespace headway {

class Normalizer {
   public:
    virtual ~Normalizer() = default;
    virtual void apply(AlignedText& text) const = 0;
};

class PreTokenizer {
   public:
    virtual ~PreTokenizer() = default;
    // Appends the pieces of `text` to `out`; none of them is empty.
    virtual void split(const AlignedText& text, std::vector<AlignedText>& out) const = 0;
};

using NormalizerPtr = std::shared_ptr<const Normalizer>;
using PreTokenizerPtr = std::shared_ptr<const PreTokenizer>;

// Finds the spans of a pattern in a text, from left to right; handed in from outside for regular
// expressions that no code here knows.
using FindSpans = std::function<std::vector<Span>(std::u32string_view)>;

}  // namespace headway
