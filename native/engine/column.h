// Encoding a whole column of texts on some threads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/tokens.h"

namespace headway {

// Some texts that lie one behind the other, as Arrow keeps them.
struct TextChunk {
    const void* borders = nullptr;  // length + 1 numbers from `offset` on
    bool large = false;             // whether they have 64 bits
    const char* bytes = nullptr;
    const uint8_t* valid = nullptr;  // a bit a text, or null where all are valid
    int64_t offset = 0, length = 0;

    bool is_valid(int64_t row) const {
        const int64_t at = row + offset;
        return !valid || (valid[at >> 3] >> (at & 7) & 1);
    }
    std::string_view text(int64_t row) const {
        const int64_t start = border(row), end = border(row + 1);
        return {bytes + start, size_t(end - start)};
    }
    int64_t border(int64_t row) const {
        return large ? static_cast<const int64_t*>(borders)[row + offset]
                     : static_cast<const int32_t*>(borders)[row + offset];
    }
};

// Tokens that every text gets before and behind its own.
struct Around {
    std::vector<uint32_t> before, behind;
};

struct EncodedColumn {
    Buffer<int32_t> borders;        // rows + 1: where each text's tokens begin
    std::vector<uint8_t> valid;     // a bit a text; empty where all are valid
    int64_t rows = 0, nulls = 0;
    Tokens tokens;
};

// Why a column could not be encoded: which row, and what is wrong with it.
struct ColumnFailure {
    Failure failure;
    int64_t row = 0;

    explicit operator bool() const { return bool(failure); }
};

// Encodes all texts of some chunks. The result does not depend on the number of threads, which are
// started here and have ended when this returns.
ColumnFailure encode_column(const Engine& engine, const std::vector<TextChunk>& chunks,
                            const Around& around, Wanted wanted, unsigned threads,
                            EncodedColumn& out);

}  // namespace headway
