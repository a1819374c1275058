// JSON lines of flat objects -> columns, in one pass over the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/exported.h"
#include "engine/buffer.h"

namespace headway {

// A bit a row.
class Bits {
   public:
    void push(bool bit) {
        if (count_ % 8 == 0) bytes_.push(0);
        bytes_[count_ / 8] |= uint8_t(bit << count_ % 8);
        ++count_;
    }
    void push(bool bit, size_t times) {
        while (times--) push(bit);
    }
    size_t size() const { return count_; }
    Buffer<uint8_t>& bytes() { return bytes_; }

   private:
    Buffer<uint8_t> bytes_;
    size_t count_ = 0;
};

// The values of one key, as many as rows were seen when it was seen last.
struct JsonColumn {
    enum class Kind : uint8_t { kNothing, kTruth, kWhole, kDecimal, kText };

    explicit JsonColumn(std::string key);

    // Puts missing values in front of the given row.
    void fill_to(size_t row);

    // The value of the next row; false where it is of another kind than those before.
    bool add_missing();
    bool add_truth(bool value);
    bool add_whole(int64_t value);
    bool add_decimal(double value);
    // Of text only what comes around it: what is pushed to `text` between the two is the value.
    bool begin_text();
    void end_text();

    std::string name;
    bool is_plain;  // whether the name stands in JSON as it is
    Kind kind = Kind::kNothing;
    size_t rows = 0, missing = 0;
    Bits valid;  // as long as nothing is missing, empty
    Bits truths;
    Buffer<uint64_t> numbers;
    Buffer<int32_t> borders;
    Buffer<char> text;

   private:
    bool become(Kind wanted);
    void push_filler();
    void added();
};

struct JsonTable {
    std::vector<JsonColumn> columns;
    size_t rows = 0;
};

// The rows of valid UTF-8 of less than 2 GB, if every line that is not blank is a plain object: no
// value is a list or an object, no key comes twice, keys and texts are whole Unicode, and the values
// of a key are of one kind. Whole numbers have 64 bits; together with decimals they become such, if
// they have less than 54 bits. Whoever gets nothing reads the lines in another way.
std::optional<JsonTable> read_json_lines(std::string_view lines);

// Hands a table over as a struct array.
void export_table(JsonTable&& table, ArrowSchema* schema, ArrowArray* array);

}  // namespace headway
