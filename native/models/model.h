// A model cuts one piece of prepared text into tokens of its vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace headway {

// One token of a piece: its id and the bytes of the piece that it covers.
struct Piece {
    uint32_t id;
    uint32_t start, end;
};

class Model {
   public:
    virtual ~Model() = default;
    // Appends the tokens of `piece` (checked UTF-8, not empty) to `out`. Returns false where a part
    // of the piece has neither a token nor a stand-in; the last of `out` then covers that part.
    // Safe to call from many threads at once.
    virtual bool tokenize(std::string_view piece, std::vector<Piece>& out) const = 0;

    // The id whose tokens are shown as the text that they stand for, or UINT32_MAX.
    virtual uint32_t shown_as_text() const { return UINT32_MAX; }
};

using ModelPtr = std::shared_ptr<const Model>;

}  // namespace headway
