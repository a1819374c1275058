// The pieces of a Unigram model that is being learnt, and where each of them can stand in the runs.
#pragma once

#include <cstdint>
#include <vector>

#include "training/runs.h"
#include "training/substrings.h"

namespace headway {

// A piece that begins at some place.
struct Edge {
    uint32_t piece : 27;
    uint32_t length_less_one : 5;

    uint32_t length() const { return length_less_one + 1; }
};

class Pieces {
   public:
    static constexpr size_t kMost = size_t(1) << 27;
    static constexpr uint32_t kLongest = 32;

    // Each symbol by itself, by its place in the alphabet, and the strings that make up most of the
    // runs: those of the highest count times length.
    Pieces(const Runs& runs, const SortedPlaces& sorted, size_t alphabet, uint32_t longest,
           size_t most);

    size_t size() const { return first_.size(); }
    size_t alphabet() const { return alphabet_; }
    uint32_t length(size_t piece) const { return length_[piece]; }
    // A place where the piece stands.
    uint64_t place(size_t piece) const { return first_[piece]; }

    // The pieces that begin at a place.
    const Edge* begin(uint64_t place) const { return &edges_[starts_[place]]; }
    const Edge* end(uint64_t place) const { return &edges_[starts_[place + 1]]; }

    // How often each piece stands anywhere in the runs, times its length: a first guess at how much
    // it is used, as it is before any piece is let go.
    const std::vector<uint64_t>& counts() const { return counts_; }

    // Lets all pieces go but those that are marked; symbols by themselves must be.
    void keep(const std::vector<bool>& kept);

   private:
    size_t alphabet_;
    std::vector<uint64_t> first_, counts_;
    std::vector<uint8_t> length_;
    std::vector<uint64_t> starts_;
    std::vector<Edge> edges_;
};

}  // namespace headway
