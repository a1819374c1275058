#include "steps/patterns.h"

#include <array>
#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>

#include "steps/ascii_masks.h"
#include "text/utf8.h"
#include "unicode/classes.h"

namespace headway {

namespace {

// What the patterns tell apart. A character is of exactly one kind.
enum Kind : uint8_t { kOther, kLetter, kNumber, kSpace, kBeyond };  // kBeyond: not ASCII, look it up

constexpr std::array<uint8_t, 256> kAscii = [] {
    std::array<uint8_t, 256> kinds{};
    for (int i = 0; i < 256; ++i) {
        const bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
        const bool space = i == ' ' || (i >= 9 && i <= 13);
        kinds[size_t(i)] = i >= 128               ? kBeyond
                           : letter               ? kLetter
                           : i >= '0' && i <= '9' ? kNumber
                           : space                ? kSpace
                                                  : kOther;
    }
    return kinds;
}();

// A text and the questions that the patterns ask about places in it.
struct Reader {
    const unsigned char* text;
    size_t size;

    Kind kind(size_t at) const {
        const uint8_t kind = kAscii[text[at]];
        return kind == kBeyond ? beyond(at) : Kind(kind);
    }
    Kind beyond(size_t at) const {
        const char32_t code = next_code_point(text, at);
        return is_letter(code) ? kLetter : is_number(code) ? kNumber : is_space(code) ? kSpace : kOther;
    }
    size_t behind(size_t at) const { return at + utf8_length(text[at]); }

    // The end of the run of one kind that `at` is in, or `at` where it is of another.
    size_t run(size_t at, Kind kind) const {
        for (;;) {
            while (at < size && kAscii[text[at]] == kind) ++at;
            if (at == size || kAscii[text[at]] != kBeyond || beyond(at) != kind) return at;
            at = behind(at);
        }
    }
    size_t run_of(size_t at, std::string_view bytes) const {
        while (at < size && bytes.find(char(text[at])) != bytes.npos) ++at;
        return at;
    }
    bool is_line_end(size_t at) const { return text[at] == '\n' || text[at] == '\r'; }
};

// 's 't 'm 'd 're 've 'll at an apostrophe: its end, or `at`.
size_t contraction(const Reader& in, size_t at, bool any_case) {
    const auto letter = [&](size_t place) -> unsigned char {
        if (place >= in.size) return 0;
        const unsigned char byte = in.text[place];
        return any_case && byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
    };
    const unsigned char first = letter(at + 1), second = letter(at + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
    if ((first == 'r' || first == 'v') && second == 'e') return at + 3;
    if (first == 'l' && second == 'l') return at + 3;
    // The long s is an s to a pattern that does not tell small letters from capitals.
    if (any_case && first == 0xC5 && second == 0xBF) return at + 3;
    return at;
}

// \s+(?!\S)|\s+ : a run of spaces, less the last one where a word follows.
size_t spaces(const Reader& in, size_t at) {
    size_t last = at, end = at;
    while (end < in.size && in.kind(end) == kSpace) {
        last = end;
        end = in.behind(end);
    }
    return end == in.size || last == at ? end : last;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ : up to the last line end of a run of spaces, if there is one.
size_t spaces_by_line(const Reader& in, size_t at) {
    size_t line_end = 0;
    for (size_t end = at; end < in.size && in.kind(end) == kSpace; end = in.behind(end)) {
        if (in.is_line_end(end)) line_end = end + 1;
    }
    return line_end ? line_end : spaces(in, at);
}

// Up to `most` numbers.
size_t numbers(const Reader& in, size_t at, size_t most) {
    for (size_t i = 0; i < most && at < in.size && in.kind(at) == kNumber; ++i) at = in.behind(at);
    return at;
}

// ' ?[^\s\p{L}\p{N}]+' and then the trailing bytes; `at` where it does not match.
size_t symbols(const Reader& in, size_t at, std::string_view trailing) {
    const size_t start = at + (in.text[at] == ' ');
    const size_t end = in.run(start, kOther);
    return end == start ? at : in.run_of(end, trailing);
}

struct Gpt2 {
    size_t word(const Reader& in, size_t at) const {
        if (in.text[at] == '\'') {
            const size_t end = contraction(in, at, false);
            if (end != at) return end;
        }
        const size_t start = at + (in.text[at] == ' ');
        if (start == in.size) return start;
        const Kind kind = in.kind(start);
        return kind == kSpace ? spaces(in, at) : in.run(start, kind);
    }
};

// GPT-4's, Llama 3's and Qwen 2's, which differ in how many digits make a word, and in whether
// spaces at the very end of a text stay together.
struct Gpt4 {
    size_t most_digits;
    bool keeps_last_spaces = false;

    size_t word(const Reader& in, size_t at) const {
        if (in.text[at] == '\'') {
            const size_t end = contraction(in, at, true);
            if (end != at) return end;
        }
        const Kind kind = in.kind(at);
        if (kind == kLetter) return in.run(at, kLetter);
        if (kind == kNumber) return numbers(in, at, most_digits);
        if (!in.is_line_end(at)) {
            const size_t next = in.behind(at), end = in.run(next, kLetter);
            if (end != next) return end;
        }
        const size_t end = symbols(in, at, "\r\n");
        if (end != at) return end;
        if (keeps_last_spaces && in.run(at, kSpace) == in.size) return in.size;
        return spaces_by_line(in, at);
    }
};

// GPT-4o's and Mistral's: words also end where a small letter is followed by a capital.
struct Gpt4o {
    bool contractions;
    size_t most_digits;

    static bool is_upper(const Reader& in, size_t at) {
        return in.text[at] < 128 ? in.text[at] >= 'A' && in.text[at] <= 'Z'
                                 : is_upper_or_caseless(next_code_point(in.text, at));
    }
    static bool is_lower(const Reader& in, size_t at) {
        return in.text[at] < 128 ? in.text[at] >= 'a' && in.text[at] <= 'z'
                                 : is_lower_or_caseless(next_code_point(in.text, at));
    }

    // Upper* Lower+ from `at`; `at` where it does not match.
    static size_t upper_lower(const Reader& in, size_t at) {
        size_t upper = at, both_end = at;
        while (upper < in.size && is_upper(in, upper)) {
            const bool both = is_lower(in, upper);
            upper = in.behind(upper);
            if (both) both_end = upper;  // where the pattern can step back to
        }
        size_t end = upper;
        while (end < in.size && is_lower(in, end)) end = in.behind(end);
        return end != upper ? end : both_end;
    }
    // Upper+ Lower* from `at`; `at` where it does not match.
    static size_t uppers(const Reader& in, size_t at) {
        size_t end = at;
        while (end < in.size && is_upper(in, end)) end = in.behind(end);
        if (end == at) return at;
        while (end < in.size && is_lower(in, end)) end = in.behind(end);
        return end;
    }

    size_t word(const Reader& in, size_t at) const {
        const Kind kind = in.kind(at);
        const size_t next = in.behind(at);
        const bool may_lead =
            kind != kLetter && kind != kNumber && !in.is_line_end(at) && next < in.size;
        for (const auto& part : {upper_lower, uppers}) {
            const size_t led = may_lead ? part(in, next) : next;
            if (led != next) return with_contraction(in, led);
            const size_t end = part(in, at);
            if (end != at) return with_contraction(in, end);
        }
        if (kind == kNumber) return numbers(in, at, most_digits);
        const size_t end = symbols(in, at, "\r\n/");
        return end != at ? end : spaces_by_line(in, at);
    }

    size_t with_contraction(const Reader& in, size_t at) const {
        const bool may = contractions && at < in.size && in.text[at] == '\'';
        return may ? contraction(in, at, true) : at;
    }
};

// DeepSeek's three patterns one after the other: numbers, Chinese and Japanese, the rest. To the
// last one a text ends where the others have cut.
struct DeepSeek {
    // Whether it is a run of Chinese and Japanese that is read, or what is between such runs.
    bool east = false;

    static bool is_east(const Reader& in, size_t at) {
        if (in.text[at] < 0xE3) return false;
        const char32_t code = next_code_point(in.text, at);
        return (code >= 0x4E00 && code <= 0x9FA5) || (code >= 0x3040 && code <= 0x30FF);
    }
    bool at_end(const Reader& in, size_t at) const {
        if (at == in.size) return true;
        return east ? !is_east(in, at) : in.kind(at) == kNumber || is_east(in, at);
    }
    static bool is_symbol(const Reader& in, size_t at) {
        return is_punctuation_or_symbol(next_code_point(in.text, at));
    }
    static bool is_ascii_letter(const Reader& in, size_t at) {
        return at < in.size && kAscii[in.text[at]] == kLetter;
    }
    static bool is_letter_or_mark(const Reader& in, size_t at) {
        if (in.text[at] < 128) return kAscii[in.text[at]] == kLetter;
        const char32_t code = next_code_point(in.text, at);
        return is_letter(code) || is_mark(code);
    }
    template <class Condition>
    size_t while_true(const Reader& in, size_t at, const Condition& condition) const {
        while (!at_end(in, at) && condition(in, at)) at = in.behind(at);
        return at;
    }

    // \s*[\r\n]+|\s+(?!\S)|\s+
    size_t spaces(const Reader& in, size_t at) const {
        size_t line_end = 0, last = at, end = at;
        while (end < in.size && in.kind(end) == kSpace) {
            if (in.is_line_end(end)) line_end = end + 1;
            last = end;
            end = in.behind(end);
        }
        if (line_end) return line_end;
        return at_end(in, end) || last == at ? end : last;
    }

    // One match of the third pattern; `at` where there is none.
    size_t match(const Reader& in, size_t at) const {
        const bool symbol = is_symbol(in, at);
        if (symbol && in.text[at] < 128 && is_ascii_letter(in, at + 1)) {
            size_t end = at + 1;
            while (is_ascii_letter(in, end)) ++end;
            return end;
        }
        if (!symbol && in.kind(at) != kLetter && !in.is_line_end(at)) {
            const size_t next = in.behind(at), end = while_true(in, next, is_letter_or_mark);
            if (end != next) return end;
        }
        const size_t word_end = while_true(in, at, is_letter_or_mark);
        if (word_end != at) return word_end;
        const size_t start = at + (in.text[at] == ' ');
        const size_t end = while_true(in, start, is_symbol);
        if (end != start) return east ? end : in.run_of(end, "\r\n");
        return in.kind(at) == kSpace ? spaces(in, at) : at;
    }

    size_t word(const Reader& in, size_t at) const {
        if (in.kind(at) == kNumber) return numbers(in, at, 3);
        if (!east && is_east(in, at)) return DeepSeek{true}.word(in, at);
        size_t end = match(in, at);
        if (end != at) return end;
        // What matches nothing is a word, up to where something matches again.
        for (end = in.behind(at); !at_end(in, end) && match(in, end) == end;) end = in.behind(end);
        return end;
    }
};

// Words of GPT-2's pattern in up to 64 ASCII bytes from `at` on, a word's beginning, all at once:
// a bit for each byte at which the next word begins, or the text ends. Bits too near the end of the 64
// are not decided.
uint64_t gpt2_borders(const Reader& in, size_t at) {
    const size_t rest = in.size - at;
    unsigned char padded[64];
    if (rest < 64) {  // behind its end a text goes on as if with spaces
        std::memset(padded, ' ', sizeof padded);
        std::memcpy(padded, in.text + at, rest);
    }
    const AsciiMasks is = ascii_masks(rest < 64 ? padded : in.text + at);
    const uint64_t other = ~(is.letters | is.digits | is.spaces);
    const uint64_t same = (is.letters & is.letters << 1) | (is.digits & is.digits << 1) |
                          (is.spaces & is.spaces << 1) | (other & other << 1);
    // A run begins, unless a single space before it belongs to it; the last space of a run is on its
    // own or leads the next word.
    uint64_t borders = (~same & ~(~is.spaces & is.blanks << 1)) | (is.spaces & ~(is.spaces >> 1));
    uint64_t decided = ~uint64_t(0) >> 4;
    if (rest < 60) {
        decided = (uint64_t(2) << rest) - 1;
        borders |= uint64_t(1) << rest;
    }
    if (is.high) {
        const int first = __builtin_ctzll(is.high);
        decided &= first < 4 ? 0 : (uint64_t(1) << (first - 3)) - 1;
    }
    for (uint64_t quotes = is.apostrophes & borders & decided; quotes; quotes &= quotes - 1) {
        const int place = __builtin_ctzll(quotes);
        const size_t end = contraction(in, at + size_t(place), false) - at;
        if (end == size_t(place)) continue;
        borders &= ~(uint64_t(6) << place);
        borders |= uint64_t(1) << end;
    }
    return borders & decided & ~uint64_t(1);
}

// GPT-2's pattern, 64 bytes at a time where they are ASCII.
class Gpt2Splitter : public Splitter {
   public:
    size_t cut(const unsigned char* text, size_t size, size_t& at, uint32_t* ends,
               size_t capacity) const override {
        const Reader in{text, size};
        size_t count = 0, place = at;
        while (count < capacity && place < size) {
            const bool has_room = count + 64 <= capacity;
            if (!has_room && count) break;
            uint64_t borders = has_room ? gpt2_borders(in, place) : 0;
            if (borders == 0) {  // a long word, other letters
                place = Gpt2().word(in, place);
                ends[count++] = uint32_t(place);
                continue;
            }
            const size_t start = place;
            for (; borders; borders &= borders - 1) {
                place = start + size_t(__builtin_ctzll(borders));
                ends[count++] = uint32_t(place);
            }
        }
        at = place;
        return count;
    }
};

template <class Pattern>
class PatternSplitter : public Splitter {
   public:
    explicit PatternSplitter(Pattern pattern = {}) : pattern_(pattern) {}

    size_t cut(const unsigned char* text, size_t size, size_t& at, uint32_t* ends,
               size_t capacity) const override {
        const Reader in{text, size};
        size_t count = 0, place = at;
        while (count < capacity && place < size) {
            place = pattern_.word(in, place);
            ends[count++] = uint32_t(place);
        }
        at = place;
        return count;
    }

   private:
    Pattern pattern_;
};

struct Digits {
    bool individual;

    size_t word(const Reader& in, size_t at) const {
        if (in.kind(at) == kNumber) return individual ? in.behind(at) : in.run(at, kNumber);
        while (at < in.size && in.kind(at) != kNumber) at = in.behind(at);
        return at;
    }
};

class Chain : public Splitter {
   public:
    Chain(SplitterPtr first, SplitterPtr second)
        : first_(std::move(first)), second_(std::move(second)) {}

    size_t cut(const unsigned char* text, size_t size, size_t& at, uint32_t* ends,
               size_t capacity) const override {
        size_t count = 0;
        while (count < capacity && at < size) {
            uint32_t end = 0;
            size_t place = at;
            first_->cut(text, size, place, &end, 1);
            // Where the room ends inside of a word of the first splitter, the rest of that word is
            // cut by the next call: runs end where they end, wherever they are entered.
            while (count < capacity && at < end) {
                count += second_->cut(text, end, at, ends + count, capacity - count);
            }
        }
        return count;
    }

   private:
    SplitterPtr first_, second_;
};

constexpr std::string_view kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
                           kSpaces = R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string whole;
    for (const std::string_view part : parts) whole.append(part);
    return whole;
}

std::string gpt4(std::string_view digits, std::string_view ending = "") {
    return joined({kContractions, R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})", digits,
                   R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|)", ending, kSpaces});
}

std::string gpt4o(std::string_view contractions, std::string_view digits) {
    constexpr std::string_view kLead = R"([^\r\n\p{L}\p{N}]?)",
                               kCapitals = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])",
                               kSmall = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
    const std::string end = contractions.empty() ? "|" : joined({contractions, "?|"});
    return joined({kLead, kCapitals, "*", kSmall, "+", end, kLead, kCapitals, "+", kSmall, "*", end,
                   R"(\p{N})", digits, R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|)", kSpaces});
}

}  // namespace

SplitterPtr published_splitter(std::string_view pattern) {
    constexpr std::string_view kGpt2 =
        R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    // The three patterns of a Sequence, one a line.
    constexpr std::string_view kDeepSeek =
        "\\p{N}{1,3}\n"
        "[一-龥぀-ゟ゠-ヿ]+\n"
        R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
        R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
    if (pattern == kGpt2) return std::make_shared<Gpt2Splitter>();
    if (pattern == gpt4("{1,3}")) return std::make_shared<PatternSplitter<Gpt4>>(Gpt4{3});
    if (pattern == gpt4("")) return std::make_shared<PatternSplitter<Gpt4>>(Gpt4{1});
    if (pattern == gpt4("{1,3}", R"(\s+\z|)")) {
        return std::make_shared<PatternSplitter<Gpt4>>(Gpt4{3, true});
    }
    if (pattern == gpt4("+")) return std::make_shared<PatternSplitter<Gpt4>>(Gpt4{SIZE_MAX});
    if (pattern == kDeepSeek) return std::make_shared<PatternSplitter<DeepSeek>>();
    if (pattern == gpt4o(kContractions, "{1,3}")) {
        return std::make_shared<PatternSplitter<Gpt4o>>(Gpt4o{true, 3});
    }
    if (pattern == gpt4o("", "")) {
        return std::make_shared<PatternSplitter<Gpt4o>>(Gpt4o{false, 1});
    }
    return nullptr;
}

SplitterPtr digit_splitter(bool individual) {
    return std::make_shared<PatternSplitter<Digits>>(Digits{individual});
}

SplitterPtr chained(SplitterPtr first, SplitterPtr second) {
    return std::make_shared<Chain>(std::move(first), std::move(second));
}

}  // namespace headway
