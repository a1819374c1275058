// A part of a text as the normalizer leaves it, which is searched for added tokens; and the way back
// from places in it to the part.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/fast_path.h"
#include "steps/steps.h"

namespace headway {

class NormalizedPart {
   public:
    // In `regions` the normalizer does its work, outside of them `alias` does it.
    NormalizedPart(const Part& part, const std::vector<Region>& regions, const ByteAlias* alias,
                   const Normalizer* normalizer);

    std::string_view bytes() const { return bytes_; }

    // What a stretch of the normalized text comes from.
    struct Source {
        size_t start, end;  // in the part; a region counts as a whole
        bool exact;         // no region is in it
    };
    Source source(size_t start, size_t end) const;

   private:
    struct Stretch {
        Region original, normalized;
    };

    void add_plain(std::string_view bytes, const ByteAlias* alias);

    std::string bytes_;
    std::vector<Stretch> stretches_;
};

}  // namespace headway
