#include "engine/trim.h"

#include <algorithm>

#include "text/utf8.h"
#include "unicode/classes.h"

namespace headway {

TrimSpaces::TrimSpaces(const std::vector<std::pair<std::string, uint32_t>>& vocabulary,
                       bool prefix_space)
    : prefix_space_(prefix_space) {
    uint32_t largest = 0;
    for (const auto& entry : vocabulary) largest = std::max(largest, entry.second);
    // A table with holes that are mostly holes is not worth its memory: ids are dense in practice.
    by_id_.resize(vocabulary.empty() ? 0 : size_t(largest) + 1);
    for (const auto& [token, id] : vocabulary) by_id_[id] = spaces_of(token);
}

TrimSpaces::Spaces TrimSpaces::spaces_of(std::string_view token) {
    const std::u32string characters = decode_utf8(token);
    const auto is_blank = [](char32_t code) { return code == 0x120 || is_space(code); };
    Spaces spaces;
    const auto first = std::find_if_not(characters.begin(), characters.end(), is_blank);
    const auto last = std::find_if_not(characters.rbegin(), characters.rend(), is_blank);
    spaces.leading = uint32_t(first - characters.begin());
    spaces.trailing = uint32_t(last - characters.rbegin());
    return spaces;
}

void TrimSpaces::apply(Tokens& tokens, size_t first,
                       const std::vector<std::pair<size_t, std::string>>& surfaces) const {
    size_t next_surface = 0;
    for (size_t row = first; row < tokens.ids.size(); ++row) {
        const uint32_t id = tokens.ids[row];
        Spaces spaces = id < by_id_.size() ? by_id_[id] : Spaces{};
        if (next_surface < surfaces.size() && surfaces[next_surface].first == row - first) {
            spaces = spaces_of(surfaces[next_surface++].second);
        }
        if (spaces.leading == 0 && spaces.trailing == 0) continue;
        uint32_t start = tokens.starts[row], end = tokens.ends[row];
        // The space that was put before the text is not in it.
        if (spaces.leading == 1 && prefix_space_ && (row == first || start == 0)) spaces.leading = 0;
        start = std::min(start + spaces.leading, end);
        if (end >= spaces.trailing) end = std::max(end - spaces.trailing, start);
        tokens.starts[row] = start;
        tokens.ends[row] = end;
    }
}

}  // namespace headway
