// The strings that come again and again in some runs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "training/runs.h"
#include "training/watch.h"

namespace headway {

// The places of all runs in the order of what follows them, up to some depth.
struct SortedPlaces {
    std::vector<uint32_t> places;  // among the symbols
    std::vector<uint8_t> shared;   // symbols that a place has in common with the one before it
    std::vector<uint8_t> left;     // by place: symbols from there to the end of its run
    std::vector<uint64_t> counts;  // by place: the count of its run
};

// Takes linear time: sorts by 1, 2, 4, ... symbols (Manber and Myers 1990). Nothing where the watch
// ended it.
std::optional<SortedPlaces> sorted_places(const Runs& runs, uint32_t depth, Watch& watch);

// A string that cannot be made longer, or shorter, without changing where it comes.
struct Substring {
    uint32_t first, end;  // where it stands: a range of sorted places
    uint32_t length;
    uint64_t count;  // how often it comes
};

// All of two symbols or more, and at most the depth of the sorting, that come at least twice.
std::vector<Substring> repeated_substrings(const SortedPlaces& sorted, uint32_t depth);

}  // namespace headway
