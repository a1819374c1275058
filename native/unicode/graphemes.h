// Grapheme clusters: what a reader takes for one character.
//
// Source: https://www.unicode.org/reports/tr29/ (extended grapheme clusters). Characters newer than
// Unicode 17 are unassigned.
#pragma once

#include <cstddef>
#include <string_view>

namespace headway {

// Where the cluster that begins at a place ends.
size_t grapheme_end(std::u32string_view text, size_t start);

}  // namespace headway
