// Cuts texts into the words that are counted, as a tokenizer's normalizer and pre-tokenizer do.
#pragma once

#include <memory>
#include <string_view>

#include "steps/patterns.h"
#include "steps/steps.h"
#include "training/word_table.h"

namespace headway {

class WordCutter {
   public:
    virtual ~WordCutter() = default;

    // Counts the words of checked UTF-8. Stretches of it may be counted as they stand instead, to
    // be cut when the count of each is known.
    virtual void cut(std::string_view text, WordTable& words, WordTable& stretches) const = 0;

    // Cuts a stretch that comes so many times.
    virtual void cut_stretch(std::string_view stretch, uint64_t count, WordTable& words) const = 0;
};

using WordCutterPtr = std::shared_ptr<const WordCutter>;

// The words of a published pattern. The normalizer may be null.
WordCutterPtr pattern_cutter(SplitterPtr splitter, NormalizerPtr normalizer);

// Each character by itself.
WordCutterPtr character_cutter(NormalizerPtr normalizer);

// The words that steps make of what stands between ASCII spaces, tabs and line ends. Steps must
// look at nothing beyond, and never let such a character be part of a word.
WordCutterPtr stretch_cutter(NormalizerPtr normalizer, PreTokenizerPtr pretokenizer);

}  // namespace headway
