#include "text/aligned_text.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace headway {

void Draft::copy(std::u32string_view from, size_t start, size_t end) {
    text.append(from, start, end - start);
    const size_t size = sources.size();
    sources.resize(size + end - start);
    std::iota(sources.begin() + std::ptrdiff_t(size), sources.end(), uint32_t(start));
}

AlignedText AlignedText::inserted(std::u32string text, uint32_t place) {
    AlignedText made(std::move(text), place);
    made.starts.assign(made.text.size(), place);
    made.ends = made.starts;
    return made;
}

Span AlignedText::span(uint32_t start, uint32_t end) const {
    if (starts.empty()) return {shift + start, shift + end};
    if (start == end) {
        const uint32_t place = start < starts.size() ? starts[start] : shift;
        return {place, place};
    }
    return {starts[start], ends[end - 1]};
}

AlignedText AlignedText::slice(uint32_t start, uint32_t end) const {
    AlignedText part(text.substr(start, end - start), shift + start);
    if (starts.empty()) {
        // A changed text that became empty has no alignments either, and begins where it began.
        if (text.empty()) part.shift = shift;
        return part;
    }
    part.starts.assign(starts.begin() + start, starts.begin() + end);
    part.ends.assign(ends.begin() + start, ends.begin() + end);
    part.shift = part.starts.empty() ? shift : part.starts[0];
    return part;
}

void AlignedText::become(Draft draft) {
    const size_t size = draft.text.size();
    size_t same = 0;
    while (same < size && draft.sources[same] == same) ++same;
    if (same == size && size == text.size()) {  // the alignments stay
        text = std::move(draft.text);
        return;
    }
    std::vector<uint32_t> new_starts(size), new_ends(size);
    for (size_t i = 0; i < size; ++i) {
        const uint32_t source = draft.sources[i];
        new_starts[i] = starts.empty() ? shift + source : starts[source];
        new_ends[i] = starts.empty() ? shift + source + 1 : ends[source];
    }
    text = std::move(draft.text);
    starts = std::move(new_starts);
    ends = std::move(new_ends);
}

void AlignedText::prepend(std::u32string_view content) {
    if (text.empty()) return;
    Draft draft;
    draft.reserve(content.size() + text.size());
    for (const char32_t character : content) draft.add(character, 0);
    draft.copy(text, 0, text.size());
    become(std::move(draft));
}

void AlignedText::substitute(const std::vector<Span>& spans, std::u32string_view content) {
    Draft draft;
    draft.reserve(text.size());
    uint32_t place = 0;
    for (const auto& [start, end] : spans) {
        draft.copy(text, place, start);
        for (const char32_t character : content) draft.add(character, std::max(end, 1u) - 1);
        place = end;
    }
    draft.copy(text, place, text.size());
    become(std::move(draft));
}

}  // namespace headway
