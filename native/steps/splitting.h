// Cutting a text at matches: which of the matches and of what stands between them are kept, and how.
#pragma once

#include <vector>

#include "steps/steps.h"

namespace headway {

enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// A part of a text, and whether it is a match.
struct TextPart {
    uint32_t start, end;
    bool is_match;
};

// The whole text as matches and what stands between them.
std::vector<TextPart> parts_of(size_t size, const std::vector<Span>& matches);

// Appends what a behavior makes of the parts.
void cut_parts(const AlignedText& text, std::vector<TextPart> parts, Behavior behavior,
               std::vector<AlignedText>& out);

}  // namespace headway
