#include "data/json_lines.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "text/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace headway {

namespace {

using Kind = JsonColumn::Kind;

constexpr size_t kMostColumns = 1000;               // a row looks for its keys one by one
constexpr int64_t kMostWhole = int64_t(1) << 53;    // of which all decimals are whole numbers
constexpr size_t kMostBytes = std::numeric_limits<int32_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Whether a byte of a JSON string stands for itself.
bool is_plain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

// Reads lines that all end with \n, which no token holds: so nothing reads beyond the last one.
class Reader {
   public:
    Reader(std::string_view lines, JsonTable& table)
        : at_(lines.data()), end_(lines.data() + lines.size()), table_(table) {}

    bool run() {
        while (at_ < end_) {
            if (!line()) return false;
        }
        return true;
    }

   private:
    void skip_blanks() {
        while (is_blank(*at_)) ++at_;
    }

    // Takes one byte, and blanks around it.
    bool take(char wanted) {
        skip_blanks();
        if (*at_ != wanted) return false;
        ++at_;
        skip_blanks();
        return true;
    }

    bool line() {
        skip_blanks();
        if (*at_ != '\n') {
            if (!object()) return false;
            skip_blanks();
            if (*at_ != '\n') return false;
        }
        ++at_;
        return true;
    }

    bool object() {
        if (!take('{')) return false;
        if (*at_ != '}') {
            size_t place = 0;
            do {
                JsonColumn* column = key(place);
                if (column == nullptr || !take(':')) return false;
                if (column->rows > table_.rows) return false;  // the key comes twice
                column->fill_to(table_.rows);
                if (!value(*column)) return false;
                ++place;
            } while (take(','));
        }
        if (*at_ != '}') return false;
        ++at_;
        ++table_.rows;
        return true;
    }

    // The column of the next key. Most rows have the keys of the row before, in the same order.
    JsonColumn* key(size_t place) {
        if (*at_ != '"') return nullptr;
        ++at_;
        auto& columns = table_.columns;
        if (place < columns.size() && columns[place].is_plain) {
            const std::string& name = columns[place].name;
            if (size_t(end_ - at_) > name.size() && at_[name.size()] == '"' &&
                std::memcmp(at_, name.data(), name.size()) == 0) {
                at_ += name.size() + 1;
                return &columns[place];
            }
        }
        name_.clear();
        if (!string(name_)) return nullptr;
        const std::string_view name(name_.data(), name_.size());
        for (JsonColumn& column : columns) {
            if (column.name == name) return &column;
        }
        if (columns.size() == kMostColumns) return nullptr;
        return &columns.emplace_back(std::string(name));
    }

    bool value(JsonColumn& column) {
        switch (*at_) {
            case '"':
                ++at_;
                if (!column.begin_text() || !string(column.text)) return false;
                column.end_text();
                return true;
            case 't':
                return word("true") && column.add_truth(true);
            case 'f':
                return word("false") && column.add_truth(false);
            case 'n':
                return word("null") && column.add_missing();
            default:
                return number(column);
        }
    }

    bool word(const char* wanted) {
        for (; *wanted; ++wanted, ++at_) {
            if (*at_ != *wanted) return false;
        }
        return true;
    }

    bool digits() {
        if (!is_digit(*at_)) return false;
        while (is_digit(*at_)) ++at_;
        return true;
    }

    bool number(JsonColumn& column) {
        const char* start = at_;
        if (*at_ == '-') ++at_;
        if (*at_ == '0') {
            ++at_;
        } else if (!digits()) {
            return false;
        }
        bool whole = true;
        if (*at_ == '.') {
            whole = false;
            ++at_;
            if (!digits()) return false;
        }
        if (*at_ == 'e' || *at_ == 'E') {
            whole = false;
            ++at_;
            if (*at_ == '+' || *at_ == '-') ++at_;
            if (!digits()) return false;
        }
        if (whole) {
            int64_t value = 0;
            return std::from_chars(start, at_, value).ec == std::errc() && column.add_whole(value);
        }
        double value = 0;
        return std::from_chars(start, at_, value).ec == std::errc() && column.add_decimal(value);
    }

    // Appends a string, of which the opening quote was read.
    template <class Out>
    bool string(Out& out) {
        for (;;) {
            const char* run = at_;
            at_ = plain_end(at_);
            append(out, run, size_t(at_ - run));
            const char stop = *at_++;
            if (stop == '"') return true;
            if (stop != '\\' || !escape(out)) return false;
        }
    }

    // The first byte that does not stand for itself.
    const char* plain_end(const char* at) const {
#ifdef __SSE2__
        const auto quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
        const auto control = _mm_set1_epi8(0x1F);
        for (; end_ - at >= 16; at += 16) {
            const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
            const auto stops = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
            const auto mask = unsigned(_mm_movemask_epi8(stops));
            if (mask) return at + std::countr_zero(mask);
        }
#endif
        while (is_plain(*at)) ++at;
        return at;
    }

    template <class Out>
    bool escape(Out& out) {
        static constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
        const char name = *at_++;
        if (name == 'u') return escaped_character(out);
        const size_t found = kNames.find(name);
        if (found == std::string_view::npos) return false;
        append(out, &kValues[found], 1);
        return true;
    }

    template <class Out>
    bool escaped_character(Out& out) {
        uint32_t code = 0, low = 0;
        if (!four_digits(code)) return false;
        if (code >= 0xD800 && code < 0xE000) {  // the first half of a pair
            if (code >= 0xDC00 || *at_ != '\\' || at_[1] != 'u') return false;
            at_ += 2;
            if (!four_digits(low) || low < 0xDC00 || low >= 0xE000) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        character_.clear();
        append_utf8(character_, code);
        append(out, character_.data(), character_.size());
        return true;
    }

    bool four_digits(uint32_t& code) {
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = *at_, lower = char(c | 0x20);
            if (is_digit(c)) {
                code = code << 4 | uint32_t(c - '0');
            } else if (lower >= 'a' && lower <= 'f') {
                code = code << 4 | uint32_t(lower - 'a' + 10);
            } else {
                return false;
            }
        }
        return true;
    }

    static void append(Buffer<char>& out, const char* text, size_t size) {
        if (size == 0) return;
        out.reserve_more(size);
        std::memcpy(out.end(), text, size);
        out.advance(size);
    }

    const char* at_;
    const char* end_;
    JsonTable& table_;
    Buffer<char> name_;
    std::string character_;
};

template <class T>
OwnedBlock block_of(Buffer<T>& values) {
    values.reserve_more(1);  // a buffer must be there even for no values
    return values.release();
}

void export_column(JsonColumn& column, ArrowSchema* schema, ArrowArray* array) {
    static constexpr const char* kFormats[] = {"n", "b", "l", "g", "u"};  // in the order of kinds
    export_schema(schema, kFormats[size_t(column.kind)], column.name, {});
    const auto rows = int64_t(column.rows), missing = int64_t(column.missing);
    if (column.kind == Kind::kNothing) {
        export_array(array, rows, rows, {}, {}, {});
        return;
    }
    std::vector<OwnedBlock> owned;
    std::vector<const void*> buffers = {nullptr};
    if (missing) {
        owned.push_back(block_of(column.valid.bytes()));
        buffers[0] = owned.back().first;
    }
    const auto add = [&](auto& values) {
        owned.push_back(block_of(values));
        buffers.push_back(owned.back().first);
    };
    if (column.kind == Kind::kTruth) {
        add(column.truths.bytes());
    } else if (column.kind == Kind::kText) {
        add(column.borders);
        add(column.text);
    } else {
        add(column.numbers);
    }
    export_array(array, rows, missing, std::move(buffers), std::move(owned), {});
}

}  // namespace

JsonColumn::JsonColumn(std::string key)
    : name(std::move(key)), is_plain(std::all_of(name.begin(), name.end(), headway::is_plain)) {}

void JsonColumn::push_filler() {
    if (kind == Kind::kTruth) truths.push(false);
    if (kind == Kind::kWhole || kind == Kind::kDecimal) numbers.push(0);
    if (kind == Kind::kText) borders.push(int32_t(text.size()));
}

void JsonColumn::fill_to(size_t row) {
    if (rows == row) return;
    if (valid.size() == 0) valid.push(true, rows);
    valid.push(false, row - rows);
    missing += row - rows;
    for (; rows < row; ++rows) push_filler();
}

bool JsonColumn::become(Kind wanted) {
    if (kind == wanted) return true;
    if (kind != Kind::kNothing) return false;
    kind = wanted;
    if (kind == Kind::kText) borders.push(0);
    for (size_t i = 0; i < rows; ++i) push_filler();
    return true;
}

void JsonColumn::added() {
    if (valid.size()) valid.push(true);
    ++rows;
}

bool JsonColumn::add_missing() {
    fill_to(rows + 1);
    return true;
}

bool JsonColumn::add_truth(bool value) {
    if (!become(Kind::kTruth)) return false;
    truths.push(value);
    added();
    return true;
}

bool JsonColumn::add_whole(int64_t value) {
    if (kind == Kind::kDecimal) {
        return value > -kMostWhole && value < kMostWhole && add_decimal(double(value));
    }
    if (!become(Kind::kWhole)) return false;
    numbers.push(uint64_t(value));
    added();
    return true;
}

bool JsonColumn::add_decimal(double value) {
    if (kind == Kind::kWhole) {
        for (size_t i = 0; i < numbers.size(); ++i) {
            const auto whole = int64_t(numbers[i]);
            if (whole <= -kMostWhole || whole >= kMostWhole) return false;
            numbers[i] = std::bit_cast<uint64_t>(double(whole));
        }
        kind = Kind::kDecimal;
    }
    if (!become(Kind::kDecimal)) return false;
    numbers.push(std::bit_cast<uint64_t>(value));
    added();
    return true;
}

bool JsonColumn::begin_text() { return become(Kind::kText); }

void JsonColumn::end_text() {
    borders.push(int32_t(text.size()));
    added();
}

std::optional<JsonTable> read_json_lines(std::string_view lines) {
    if (lines.size() >= kMostBytes) return std::nullopt;
    std::optional<JsonTable> table(std::in_place);
    const size_t whole = lines.rfind('\n') + 1;
    if (!Reader(lines.substr(0, whole), *table).run()) return std::nullopt;
    if (whole < lines.size()) {
        const std::string last = std::string(lines.substr(whole)) + '\n';
        if (!Reader(last, *table).run()) return std::nullopt;
    }
    for (JsonColumn& column : table->columns) column.fill_to(table->rows);
    return table;
}

void export_table(JsonTable&& table, ArrowSchema* schema, ArrowArray* array) {
    std::vector<ArrowSchema> schemas(table.columns.size());
    std::vector<ArrowArray> arrays(table.columns.size());
    for (size_t i = 0; i < table.columns.size(); ++i) {
        export_column(table.columns[i], &schemas[i], &arrays[i]);
    }
    export_schema(schema, "+s", "", std::move(schemas));
    export_array(array, int64_t(table.rows), 0, {nullptr}, {}, std::move(arrays));
}

}  // namespace headway
