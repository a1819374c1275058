#include "data/cells.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "data/masks.h"

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

    bool open() const { return inside_ != 0; }

    // Text before this place has no fault.
    size_t strict_before() const { return strict_before_; }

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
    size_t count = 0;
    bool was_return = false;
    each_64(text, [&](const Bytes64& bytes, size_t) {
        const uint64_t feeds = bytes.equal_to('\n'), returns = bytes.equal_to('\r');
        count += size_t(std::popcount(feeds | returns));
        if (returns || was_return) {
            count -= size_t(std::popcount(feeds & (returns << 1 | uint64_t(was_return))));
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

bool strictly_quoted(std::string_view text, char delimiter) {
    Quotes quotes(delimiter);
    each_64(text, [&](const Bytes64& bytes, size_t start) {
        quotes.next(bytes, start);
        return quotes.strict_before() == SIZE_MAX;
    });
    // Where the text ends in the middle of 64 bytes, a NUL seems to follow its last quote.
    return !quotes.open() && quotes.strict_before() >= text.size();
}

}  // namespace headway
