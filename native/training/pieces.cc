#include "training/pieces.h"

#include <algorithm>

namespace headway {

namespace {

Edge edge(uint32_t piece, uint32_t length) {
    return {piece & uint32_t(Pieces::kMost - 1), (length - 1) & (Pieces::kLongest - 1)};
}

// The strings that are worth a piece, the most valuable first.
std::vector<Substring> best_strings(const SortedPlaces& sorted, uint32_t longest, size_t most) {
    std::vector<Substring> strings = repeated_substrings(sorted, longest);
    const auto value = [](const Substring& string) { return string.count * string.length; };
    const auto better = [&](const Substring& a, const Substring& b) {
        if (value(a) != value(b)) return value(a) > value(b);
        return a.first != b.first ? a.first < b.first : a.length < b.length;
    };
    if (strings.size() > most) {
        std::nth_element(strings.begin(), strings.begin() + ptrdiff_t(most), strings.end(), better);
        strings.resize(most);
        strings.shrink_to_fit();
    }
    std::sort(strings.begin(), strings.end(), better);
    return strings;
}

}  // namespace

Pieces::Pieces(const Runs& runs, const SortedPlaces& sorted, size_t alphabet, uint32_t longest,
               size_t most)
    : alphabet_(alphabet), first_(alphabet), length_(alphabet, 1) {
    const size_t size = runs.symbols.size();
    counts_.assign(alphabet, 0);
    for (size_t place = 0; place < size; ++place) {
        first_[runs.symbols[place]] = place;
        counts_[runs.symbols[place]] += sorted.counts[place];
    }
    const std::vector<Substring> strings =
        best_strings(sorted, longest, std::min(most, kMost - alphabet));
    // How many pieces begin at each place, then where their edges go.
    starts_.assign(size + 1, 0);
    for (size_t place = 0; place < size; ++place) starts_[place + 1] = 1;
    for (const Substring& string : strings) {
        for (uint32_t i = string.first; i < string.end; ++i) ++starts_[sorted.places[i] + 1];
    }
    for (size_t place = 0; place < size; ++place) starts_[place + 1] += starts_[place];
    edges_.resize(starts_[size]);
    std::vector<uint8_t> filled(size, 1);
    for (size_t place = 0; place < size; ++place) {
        edges_[starts_[place]] = edge(runs.symbols[place], 1);
    }
    for (const Substring& string : strings) {
        const auto piece = uint32_t(first_.size());
        first_.push_back(sorted.places[string.first]);
        length_.push_back(uint8_t(string.length));
        counts_.push_back(string.count * string.length);
        for (uint32_t i = string.first; i < string.end; ++i) {
            const uint32_t place = sorted.places[i];
            edges_[starts_[place] + filled[place]++] = edge(piece, string.length);
        }
    }
}

void Pieces::keep(const std::vector<bool>& kept) {
    counts_.clear();
    std::vector<uint32_t> numbers(size());
    uint32_t next = 0;
    for (size_t piece = 0; piece < size(); ++piece) {
        if (!kept[piece]) continue;
        first_[next] = first_[piece];
        length_[next] = length_[piece];
        numbers[piece] = next++;
    }
    first_.resize(next);
    length_.resize(next);
    uint64_t end = 0, from = 0;
    for (size_t place = 0; place + 1 < starts_.size(); ++place) {
        const uint64_t old_end = starts_[place + 1];
        for (; from < old_end; ++from) {
            const Edge old = edges_[from];
            if (kept[old.piece]) edges_[end++] = edge(numbers[old.piece], old.length());
        }
        starts_[place + 1] = end;
    }
    edges_.resize(end);
}

}  // namespace headway
