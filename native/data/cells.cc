#include "data/cells.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "text/masks.h"

namespace headway {

namespace {

// Calls `look(bytes, start, count)` for all text, 64 bytes at a time; the rest is filled with NULs.
template <class Look>
void each_64(std::string_view text, Look look) {
    size_t at = 0;
    for (; at + kMasked <= text.size(); at += kMasked) {
        if (!look(Bytes64(text.data() + at), at)) return;
    }
    if (at == text.size()) return;
    char rest[kMasked] = {};
    std::memcpy(rest, text.data() + at, text.size() - at);
    look(Bytes64(rest), at);
}

// Bit i: whether the number of bits up to i, i included, is odd.
uint64_t parities(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

// What ends lines in a text, and before which place it surely does.
struct LineEnd {
    explicit LineEnd(std::string_view text) : byte('\n'), before(text.size()) {
        if (text.empty() || std::memchr(text.data(), '\n', text.size())) return;
        byte = '\r';
        --before;
    }

    char byte;
    size_t before;
};

// Follows quotes through a text.
class Quotes {
   public:
    explicit Quotes(char delimiter) : delimiter_(delimiter) {}

    // Takes the next 64 bytes and gives those outside of quotes, the quotes themselves aside.
    uint64_t next(const Bytes64& bytes, size_t start) {
        const uint64_t quotes = bytes.equal_to('"');
        const uint64_t edges = quotes | bytes.equal_to(delimiter_) | bytes.equal_to('\n') |
                               bytes.equal_to('\r');
        if (was_closing_ && !(edges & 1)) note(start);
        const uint64_t inside = parities(quotes) ^ inside_;
        const uint64_t opening = quotes & inside, closing = quotes & ~inside;
        const uint64_t before = edges << 1 | uint64_t(was_edge_);
        // What follows the last byte is looked at with the next 64.
        const uint64_t behind = edges >> 1 | uint64_t(1) << 63;
        const uint64_t faults = (opening & ~before) | (closing & ~behind);
        if (faults) note(start + size_t(std::countr_zero(faults)) + 1);
        inside_ = uint64_t(int64_t(inside) >> 63);
        was_edge_ = edges >> 63;
        was_closing_ = closing >> 63;
        return ~inside;
    }

    // Text before this place has no fault.
    size_t strict_before() const { return strict_before_; }

    // Whether a text of this size that was gone through has none, and all its quotes are closed.
    bool all_strict(size_t size) const {
        // Where it ends in the middle of 64 bytes, a NUL seems to follow its last quote.
        return inside_ == 0 && strict_before_ >= size;
    }

   private:
    void note(size_t place) {
        if (place < strict_before_) strict_before_ = place;
    }

    char delimiter_;
    uint64_t inside_ = 0;  // all ones inside of quotes
    bool was_edge_ = true, was_closing_ = false;
    size_t strict_before_ = SIZE_MAX;
};

}  // namespace

size_t count_line_ends(std::string_view text) {
    size_t count = count_byte(text, '\n');
    if (!std::memchr(text.data(), '\r', text.size())) return count;
    count += count_byte(text, '\r');
    bool was_return = false;
    each_64(text, [&](const Bytes64& bytes, size_t) {
        const uint64_t returns = bytes.equal_to('\r');
        if (returns || was_return) {  // of both together, one is counted
            const uint64_t before = returns << 1 | uint64_t(was_return);
            count -= size_t(std::popcount(bytes.equal_to('\n') & before));
            was_return = returns >> 63;
        }
        return true;
    });
    return count;
}

size_t last_line_end(std::string_view text) {
    const LineEnd line_end(text);
    const size_t found = text.substr(0, line_end.before).rfind(line_end.byte);
    return found == std::string_view::npos ? 0 : found + 1;
}

RecordEnd last_record_end(std::string_view text, char delimiter) {
    const LineEnd line_end(text);
    const size_t last = line_end.before;
    Quotes quotes(delimiter);
    size_t end = 0;
    each_64(text, [&](const Bytes64& bytes, size_t start) {
        uint64_t ends = quotes.next(bytes, start) & bytes.equal_to(line_end.byte);
        if (start + kMasked > last) {
            ends &= last > start ? ~uint64_t(0) >> (kMasked - (last - start)) : 0;
        }
        if (ends) end = start + kMasked - size_t(std::countl_zero(ends));
        return true;
    });
    return {end, end <= quotes.strict_before()};
}

namespace {

// Puts cells into columns, record after record.
class Cells {
   public:
    Cells(std::string_view text, bool quoting, size_t columns)
        : text_(text), quoting_(quoting), columns_(columns) {}

    // Takes what ends a cell, at increasing places; false where a record has a wrong number of cells.
    bool end_cell(size_t place, bool ends_record) {
        if (ends_record && place == start_ && cells_ == 0) {  // a blank line, or \n behind \r
            start_ = place + 1;
            return true;
        }
        if (cells_ == columns_.size()) return false;
        add(columns_[cells_++], text_.substr(start_, place - start_));
        start_ = place + 1;
        if (!ends_record) return true;
        const bool whole = cells_ == columns_.size();
        cells_ = 0;
        return whole;
    }

    // Takes the end of the text, which ends a record if one has begun.
    bool finish() {
        return (start_ >= text_.size() && cells_ == 0) || end_cell(text_.size(), true);
    }

    std::vector<CellColumn> columns() && { return std::move(columns_); }

   private:
    void add(CellColumn& column, std::string_view cell) {
        if (quoting_ && !cell.empty() && cell.front() == '"') {
            cell = cell.substr(1, cell.size() - 2);
            for (size_t quote; (quote = cell.find('"')) != std::string_view::npos;) {
                append(column, cell.substr(0, quote + 1));
                cell.remove_prefix(std::min(quote + 2, cell.size()));  // both of a doubled one
            }
        }
        append(column, cell);
        column.borders.push(int32_t(column.text.size()));
    }

    static void append(CellColumn& column, std::string_view text) {
        if (text.empty()) return;
        column.text.reserve_more(text.size());
        std::memcpy(column.text.end(), text.data(), text.size());
        column.text.advance(text.size());
    }

    std::string_view text_;
    bool quoting_;
    std::vector<CellColumn> columns_;
    size_t start_ = 0, cells_ = 0;  // of the cell, and of the record so far
};

}  // namespace

std::optional<std::vector<CellColumn>> read_cells(std::string_view text, char delimiter,
                                                  bool quoting, size_t columns) {
    if (text.size() >= size_t(INT32_MAX)) return std::nullopt;
    Quotes quotes(delimiter);
    Cells cells(text, quoting, columns);
    bool good = true;
    each_64(text, [&](const Bytes64& bytes, size_t start) {
        const uint64_t delimiters = bytes.equal_to(delimiter);
        uint64_t ends = delimiters | bytes.equal_to('\n') | bytes.equal_to('\r');
        if (quoting) ends &= quotes.next(bytes, start);
        for (; ends && good; ends &= ends - 1) {
            const int bit = std::countr_zero(ends);
            good = cells.end_cell(start + size_t(bit), !(delimiters >> bit & 1));
        }
        return good;
    });
    // Only strict quotes say which bytes are inside of cells.
    if (!good || !quotes.all_strict(text.size()) || !cells.finish()) return std::nullopt;
    return std::move(cells).columns();
}

void export_cells(std::vector<CellColumn>&& columns, ArrowSchema* schema, ArrowArray* array) {
    std::vector<ArrowSchema> schemas(columns.size());
    std::vector<ArrowArray> arrays(columns.size());
    const auto rows = int64_t(columns.empty() ? 0 : columns[0].borders.size() - 1);
    for (size_t i = 0; i < columns.size(); ++i) {
        columns[i].text.reserve_more(1);  // a buffer must be there even for no text
        const OwnedBlock borders = columns[i].borders.release(), text = columns[i].text.release();
        std::string name = "f";
        name += std::to_string(i);
        export_schema(&schemas[i], "u", std::move(name), {});
        export_array(&arrays[i], rows, 0, {nullptr, borders.first, text.first}, {borders, text}, {});
    }
    export_schema(schema, "+s", "", std::move(schemas));
    export_array(array, rows, 0, {nullptr}, {}, std::move(arrays));
}

}  // namespace headway
