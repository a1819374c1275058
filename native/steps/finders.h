// Finds simple patterns in a text, from left to right.
#pragma once

#include <cstdint>
#include <string>

#include "steps/patterns.h"
#include "steps/steps.h"

namespace headway {

// A string; the empty one is found at every place.
FindSpans find_text(std::u32string wanted);

// Runs of any of some characters, of `least` to `most` of them: [...]{least,most}.
FindSpans find_runs(std::u32string characters, uint32_t least, uint32_t most);

// The words of a published pattern, which leave no gaps.
FindSpans find_words(SplitterPtr splitter);

}  // namespace headway
