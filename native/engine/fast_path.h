// Shortcuts: some pipelines need no step after step, since what they do to a text can be done while
// it is read. Each gives exactly what the steps give, and declines where it cannot.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/tokens.h"
#include "engine/worker.h"

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

// As which byte each byte of a text counts once it is normalized.
using ByteAlias = std::array<unsigned char, 256>;

class FastPath {
   public:
    virtual ~FastPath() = default;
    virtual Outcome encode(const Part& part, Worker& worker, Tokens& out) const = 0;

    // Whether normalizing this part does no more than exchange bytes, so that what is looked for in
    // normalized text can be found in the part itself. Sets `alias`, or null for no exchange.
    virtual bool reads_bytes(const Part& part, const ByteAlias*& alias) const = 0;
};

using FastPathPtr = std::shared_ptr<const FastPath>;

}  // namespace headway
