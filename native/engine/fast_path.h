// Shortcuts: some pipelines need no step after step, since what they do to a text can be done while
// it is read. Each gives exactly what the steps give, and declines where it cannot.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/tokens.h"
#include "engine/worker.h"
#include "steps/prefix_filter.h"

namespace headway {

enum class Outcome {
    kDone,
    kDeclined,  // nothing was written
    kUnknown,   // a part of the text has no token; the worker says which
};

// A part of a text, between added tokens.
struct Part {
    std::string_view bytes;  // checked UTF-8, not empty
    uint32_t start;          // characters before it
    bool ascii;
};

class FastPath {
   public:
    virtual ~FastPath() = default;
    virtual Outcome encode(const Part& part, Worker& worker, Tokens& out) const = 0;

    // What normalizing does to most bytes: it exchanges them; null where it leaves them alone.
    virtual const ByteAlias* alias() const = 0;

    // Appends the stretches to which it does more, and what it does to one depends on that stretch
    // alone. False where this part cannot be seen that way.
    virtual bool find_regions(const Part& part, std::vector<Region>& regions) const = 0;
};

using FastPathPtr = std::shared_ptr<const FastPath>;

}  // namespace headway
