#include "steps/charsmap.h"

#include "text/utf8.h"

namespace headway {

namespace {

// A number of the file, which is little-endian.
uint32_t number_at(std::string_view bytes, size_t at) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i) {
        number |= uint32_t(static_cast<unsigned char>(bytes[at + i])) << 8 * i;
    }
    return number;
}

uint32_t offset(uint32_t unit) { return unit >> 10 << ((unit & 1 << 9) >> 6); }

}  // namespace

std::optional<Charsmap> Charsmap::read(std::string_view table) {
    const size_t size = table.size() >= 4 ? number_at(table, 0) : 0;
    if (size < 4 || size % 4 || 4 + size > table.size()) return std::nullopt;
    Charsmap map;
    map.units_.reserve(size / 4);
    for (size_t at = 4; at < 4 + size; at += 4) map.units_.push_back(number_at(table, at));
    map.replacements_ = table.substr(4 + size);
    return map;
}

template <class Found>
void Charsmap::matches(std::string_view text, const Found& found) const {
    uint32_t place = offset(units_[0]);
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        place ^= byte;
        // A leaf's highest bit is set, so that it is taken for no byte.
        if (byte == 0 || place >= units_.size() || (units_[place] & 0x800000FF) != byte) return;
        const bool has_leaf = units_[place] >> 8 & 1;
        place ^= offset(units_[place]);
        if (place >= units_.size()) return;
        if (has_leaf && !found(Match{i + 1, units_[place] & 0x7FFFFFFF})) return;
    }
}

Charsmap::Match Charsmap::shortest(std::string_view text) const {
    Match match;
    matches(text, [&](const Match& found) {
        match = found;
        return false;
    });
    return match;
}

Charsmap::Match Charsmap::longest(std::string_view text) const {
    Match match;
    matches(text, [&](const Match& found) {
        const bool is_whole = found.size == text.size() ||
                              !is_continuation(static_cast<unsigned char>(text[found.size]));
        if (is_whole) match = found;
        return true;
    });
    return match;
}

std::u32string Charsmap::replacement(const Match& match) const {
    if (match.value >= replacements_.size()) return {};
    const std::string_view rest = std::string_view(replacements_).substr(match.value);
    return decode_any_utf8(rest.substr(0, rest.find('\0')));
}

}  // namespace headway
