// SentencePiece's rules as the `tokenizers` package applies them: a grapheme cluster of less than 6
// bytes is looked up as a whole, any other one character by character; the shortest rule counts.
#include <bitset>

#include "steps/normalizers.h"
#include "text/utf8.h"
#include "unicode/graphemes.h"

namespace headway {

namespace {

constexpr size_t kLongestCluster = 5;  // bytes

class Precompiled : public Normalizer {
   public:
    explicit Precompiled(Charsmap rules) : rules_(std::move(rules)) {
        for (size_t code = 0; code < 128; ++code) {
            const char byte = char(code);
            stays_[code] = rules_.shortest({&byte, 1}).size == 0;
        }
    }

    void apply(AlignedText& text) const override {
        const std::u32string_view old = text.text;
        size_t place = end_of_plain(old, 0);
        if (place == old.size()) return;
        Draft draft;
        draft.reserve(old.size());
        size_t done = 0;
        while (place < old.size()) {
            draft.copy(old, done, place);
            done = grapheme_end(old, place);
            cluster(old.substr(place, done - place), place, draft);
            place = end_of_plain(old, done);
        }
        draft.copy(old, done, old.size());
        text.become(std::move(draft));
    }

   private:
    bool is_plain(char32_t code) const { return code < 128 && stays_[code]; }

    // Past the clusters of one ASCII character that no rule changes.
    size_t end_of_plain(std::u32string_view text, size_t at) const {
        while (at < text.size() && is_plain(text[at]) && text[at] != '\r' &&
               (at + 1 == text.size() || text[at + 1] < 128)) {
            ++at;
        }
        return at;
    }

    void cluster(std::u32string_view text, size_t place, Draft& draft) const {
        const std::string bytes = encode_utf8(text);
        if (bytes.size() <= kLongestCluster) {
            const Charsmap::Match match = rules_.shortest(bytes);
            if (match.size) return write(match, place, text.size(), draft);
        }
        for (size_t i = 0; i < text.size(); ++i) {
            const Charsmap::Match match = rules_.shortest(encode_utf8(text.substr(i, 1)));
            if (match.size) {
                write(match, place + i, 1, draft);
            } else {
                draft.add(text[i], place + i);
            }
        }
    }

    // Character i stands for character i of what is replaced, what is longer for the last one.
    void write(const Charsmap::Match& match, size_t place, size_t count, Draft& draft) const {
        const std::u32string written = rules_.replacement(match);
        for (size_t i = 0; i < written.size(); ++i) {
            draft.add(written[i], place + std::min(i, count - 1));
        }
    }

    Charsmap rules_;
    std::bitset<128> stays_;
};

}  // namespace

NormalizerPtr precompiled_normalizer(Charsmap rules) {
    return std::make_shared<Precompiled>(std::move(rules));
}

}  // namespace headway
