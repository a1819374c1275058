#include "steps/splitting.h"

#include <algorithm>

namespace headway {

namespace {

// Joins a match to the part before it, or (contiguous) neighbours that are alike.
void merge(std::vector<TextPart>& parts, bool contiguous) {
    size_t size = 0;
    bool was_match = false;
    for (const TextPart part : parts) {
        const bool joins = contiguous ? part.is_match == was_match : part.is_match && !was_match;
        if (joins && size) {
            parts[size - 1].start = std::min(parts[size - 1].start, part.start);
            parts[size - 1].end = std::max(parts[size - 1].end, part.end);
        } else {
            parts[size++] = part;
        }
        was_match = part.is_match;
    }
    parts.resize(size);
}

}  // namespace

std::vector<TextPart> parts_of(size_t size, const std::vector<Span>& matches) {
    std::vector<TextPart> parts;
    parts.reserve(2 * matches.size() + 1);
    uint32_t place = 0;
    for (const auto& [start, end] : matches) {
        if (place != start) parts.push_back({place, start, false});
        parts.push_back({start, end, true});
        place = end;
    }
    if (place != size) parts.push_back({place, uint32_t(size), false});
    return parts;
}

void cut_parts(const AlignedText& text, std::vector<TextPart> parts, Behavior behavior,
               std::vector<AlignedText>& out) {
    if (behavior == Behavior::kMergedWithPrevious || behavior == Behavior::kContiguous) {
        merge(parts, behavior == Behavior::kContiguous);
    } else if (behavior == Behavior::kMergedWithNext) {
        std::reverse(parts.begin(), parts.end());
        merge(parts, false);
        std::reverse(parts.begin(), parts.end());
    }
    for (const auto& [start, end, is_match] : parts) {
        const bool is_kept = behavior != Behavior::kRemoved || !is_match;
        if (is_kept && start != end) out.push_back(text.slice(start, end));
    }
}

}  // namespace headway
