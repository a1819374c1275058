#include "training/substrings.h"

#include <algorithm>

namespace headway {

namespace {

// Sorts places by their ranks, keeping the order of equals.
void sort_by_rank(const std::vector<uint32_t>& places, const std::vector<uint32_t>& ranks,
                  uint32_t highest, std::vector<uint32_t>& sorted) {
    std::vector<uint32_t> next(highest + 2);
    for (const uint32_t rank : ranks) ++next[rank + 1];
    for (size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
    sorted.resize(places.size());
    for (const uint32_t place : places) sorted[next[ranks[place]]++] = place;
}

// Numbers what is in order, equal strings alike; gives the highest number.
template <class Equal>
uint32_t rank_all(const std::vector<uint32_t>& sorted, std::vector<uint32_t>& ranks,
                  const Equal& equal) {
    uint32_t rank = 0;
    for (size_t i = 0; i < sorted.size(); ++i) {
        rank += i == 0 || !equal(sorted[i - 1], sorted[i]);
        ranks[sorted[i]] = rank;
    }
    return rank;
}

}  // namespace

std::optional<SortedPlaces> sorted_places(const Runs& runs, uint32_t depth, Watch& watch) {
    const std::vector<uint32_t>& symbols = runs.symbols;
    const auto size = uint32_t(symbols.size());
    SortedPlaces found;
    found.left.resize(size);
    found.counts.resize(size);
    std::vector<uint8_t> before(size);  // symbols before a place in its run
    for (size_t run = 0; run < runs.size(); ++run) {
        for (uint32_t i = 0; i < runs.length(run); ++i) {
            const uint64_t place = runs.starts[run] + i;
            before[place] = uint8_t(i);
            found.left[place] = uint8_t(runs.length(run) - i);
            found.counts[place] = runs.counts[run];
        }
    }
    std::vector<uint32_t> order(size), ranks(size), next(size);
    for (uint32_t i = 0; i < size; ++i) order[i] = i;
    const uint32_t most = size ? *std::max_element(symbols.begin(), symbols.end()) : 0;
    sort_by_rank(order, symbols, most, found.places);
    uint32_t highest = rank_all(found.places, ranks, [&](uint32_t a, uint32_t b) {
        return symbols[a] == symbols[b];
    });
    for (uint32_t known = 1; known < depth; known *= 2) {
        if (!watch.go_on(Stage::kSeeding, 0, 0)) return std::nullopt;
        // First those whose run ends before `known` symbols, then by what follows them.
        size_t count = 0;
        for (uint32_t i = 0; i < size; ++i) {
            if (found.left[i] <= known) order[count++] = i;
        }
        for (const uint32_t place : found.places) {
            if (before[place] >= known) order[count++] = place - known;
        }
        sort_by_rank(order, ranks, highest, found.places);
        const auto rank_behind = [&](uint32_t place) {
            return found.left[place] > known ? ranks[place + known] : 0;
        };
        highest = rank_all(found.places, next, [&](uint32_t a, uint32_t b) {
            return ranks[a] == ranks[b] && rank_behind(a) == rank_behind(b);
        });
        ranks.swap(next);
    }
    found.shared.resize(size);
    for (size_t i = 1; i < size; ++i) {
        const uint32_t a = found.places[i - 1], b = found.places[i];
        const uint32_t end = std::min<uint32_t>({found.left[a], found.left[b], depth});
        uint32_t same = 0;
        while (same < end && symbols[a + same] == symbols[b + same]) ++same;
        found.shared[i] = uint8_t(same);
    }
    return found;
}

std::vector<Substring> repeated_substrings(const SortedPlaces& sorted, uint32_t depth) {
    struct Open {
        uint32_t first, length;
        uint64_t before;  // count of all places before the first
    };
    std::vector<Substring> found;
    std::vector<Open> open;
    uint64_t total = 0;
    const auto size = uint32_t(sorted.places.size());
    const auto close = [&](const Open& string, uint32_t end) {
        const uint64_t count = total - string.before;
        if (string.length >= 2 && count >= 2) {
            found.push_back({string.first, end, string.length, count});
        }
    };
    for (uint32_t i = 0; i <= size; ++i) {
        const uint32_t shared = i < size && i > 0 ? sorted.shared[i] : 0;
        Open from{i, 0, total};
        while (!open.empty() && open.back().length > shared) {
            from = open.back();
            close(from, i);
            open.pop_back();
        }
        if (i == size) break;
        if (shared && (open.empty() || open.back().length < shared)) {
            open.push_back({from.first, shared, from.before});
        }
        // What goes on to the end of the run, or to the depth, begins here.
        const uint32_t whole = std::min<uint32_t>(sorted.left[sorted.places[i]], depth);
        if (whole > shared) open.push_back({i, whole, total});
        total += sorted.counts[sorted.places[i]];
    }
    return found;
}

}  // namespace headway
