#include "training/runs.h"

#include <algorithm>
#include <numeric>

#include "text/utf8.h"
#include "unicode/classes.h"
#include "unicode/scripts.h"

namespace headway {

namespace {

constexpr char32_t kMark = 0x2581;
constexpr int kAny = -1;

// Characters of different kinds are in no piece together; kAny goes with all.
int kind_of(char32_t code) {
    constexpr int kOthers = 256;
    if (code == kMark || is_mark(code)) return kAny;
    if (!is_letter(code)) return kOthers;
    const int script = script_of(code);
    return script ? script : kAny;
}

// Where a run begins and ends among the symbols of all words, with its count.
struct Found {
    uint64_t start;
    uint32_t size;
    uint64_t count;
};

class Cutter {
   public:
    explicit Cutter(std::u32string_view alphabet) : places_(0x110000, kNone) {
        for (uint32_t i = 0; i < alphabet.size(); ++i) places_[alphabet[i]] = i;
    }

    void cut(std::string_view word, uint64_t count) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(word.data());
        uint64_t start = symbols.size();
        int kind = kAny;
        for (size_t at = 0; at < word.size();) {
            const char32_t code = next_code_point(bytes, at);
            const uint32_t place = places_[code];
            const int next = kind_of(code);
            const bool is_other = next != kAny && kind != kAny && next != kind;
            if (place == kNone || is_other || symbols.size() - start == Runs::kLongest) {
                end(start, count);
                start = symbols.size();
                kind = kAny;
            }
            if (place == kNone) continue;
            symbols.push_back(place);
            if (next != kAny) kind = next;
        }
        end(start, count);
    }

    std::vector<uint32_t> symbols;
    std::vector<Found> found;

   private:
    static constexpr uint32_t kNone = UINT32_MAX;

    void end(uint64_t start, uint64_t count) {
        const auto size = uint32_t(symbols.size() - start);
        if (size) found.push_back({start, size, count});
    }

    std::vector<uint32_t> places_;
};

}  // namespace

Runs runs_of(const WordList& words, std::u32string_view alphabet) {
    Cutter cutter(alphabet);
    for (size_t i = 0; i < words.size(); ++i) cutter.cut(words.word(i), words.count(i));
    const auto text = [&](const Found& run) {
        return std::u32string_view(reinterpret_cast<const char32_t*>(&cutter.symbols[run.start]),
                                   run.size);
    };
    std::sort(cutter.found.begin(), cutter.found.end(),
              [&](const Found& a, const Found& b) { return text(a) < text(b); });
    Runs runs;
    runs.starts.push_back(0);
    const std::vector<Found>& found = cutter.found;
    for (size_t i = 0; i < found.size();) {
        uint64_t count = 0;
        const std::u32string_view run = text(found[i]);
        for (; i < found.size() && text(found[i]) == run; ++i) count += found[i].count;
        runs.symbols.insert(runs.symbols.end(), run.begin(), run.end());
        runs.starts.push_back(runs.symbols.size());
        runs.counts.push_back(count);
    }
    return runs;
}

}  // namespace headway
