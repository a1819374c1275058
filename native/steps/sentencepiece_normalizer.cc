#include "steps/sentencepiece_normalizer.h"

#include <algorithm>

#include "models/trie.h"
#include "text/characters.h"
#include "text/utf8.h"

namespace headway {

namespace {

constexpr char32_t kMark = 0x2581;

Trie trie_of(const std::vector<std::string>& symbols) {
    std::vector<std::pair<std::string, uint32_t>> entries;
    for (const std::string& symbol : symbols) entries.emplace_back(symbol, 1);
    return Trie(std::move(entries));
}

class SentencePieceNormalizer : public Normalizer {
   public:
    explicit SentencePieceNormalizer(SentencePieceOptions options)
        : options_(std::move(options)), symbols_(trie_of(options_.symbols)) {}

    void apply(AlignedText& text) const override {
        const char32_t space = options_.escape_spaces ? kMark : U' ';
        Draft draft;
        const bool only_spaces = rewrite(text.text, space, draft);
        if (text.text.empty() || (only_spaces && options_.remove_spaces)) {
            text = AlignedText({}, text.origin());
            return;
        }
        text.become(std::move(draft));
        const bool marks_end = options_.dummy_prefix && options_.space_as_suffix;
        if (options_.dummy_prefix && !marks_end) mark(text, 0, space);
        if (options_.remove_spaces) {
            size_t size = text.text.size();
            while (size > 0 && text.text[size - 1] == space) --size;
            text = text.slice(0, uint32_t(size));
        }
        if (marks_end) mark(text, uint32_t(text.text.size()), space);
    }

   private:
    // What stands at the beginning of UTF-8: how long it is, and what it becomes.
    size_t prefix(std::string_view bytes, std::u32string& written) const {
        size_t size = symbol_size(bytes);
        if (size == 0 && options_.rules) {
            const Charsmap::Match match = options_.rules->longest(bytes);
            if (match.size) {
                written = options_.rules->replacement(match);
                return match.size;
            }
        }
        if (size == 0) size = utf8_length(static_cast<unsigned char>(bytes[0]));
        written = decode_utf8(bytes.substr(0, size));
        return size;
    }

    size_t symbol_size(std::string_view bytes) const {
        size_t size = 0;
        uint32_t node = symbols_.root();
        for (size_t i = 0; i < bytes.size(); ++i) {
            if (!symbols_.step(node, static_cast<unsigned char>(bytes[i]))) break;
            if (symbols_.value(node) != Trie::kNone) size = i + 1;
        }
        return size;
    }

    // Applies the rules and marks spaces; true where there was nothing but spaces.
    bool rewrite(std::u32string_view text, char32_t space, Draft& draft) const {
        const std::string bytes = encode_utf8(text);
        draft.reserve(text.size() + 1);
        bool after_space = options_.remove_spaces, only_spaces = true;
        uint32_t place = 0;
        std::u32string written;
        for (size_t at = 0; at < bytes.size();) {
            const size_t size = prefix(std::string_view(bytes).substr(at), written);
            const uint32_t count = count_characters(std::string_view(bytes).substr(at, size));
            only_spaces = only_spaces && written == U" ";
            if (after_space) written.erase(0, written.find_first_not_of(U' '));
            if (!written.empty()) after_space = written.back() == U' ' && options_.remove_spaces;
            for (size_t i = 0; i < written.size(); ++i) {
                const char32_t code = written[i] == U' ' ? space : written[i];
                draft.add(code, place + std::min(uint32_t(i), count - 1));
            }
            at += size;
            place += count;
        }
        return only_spaces;
    }

    static void mark(AlignedText& text, uint32_t place, char32_t space) {
        const std::u32string content(1, space);
        if (text.text.empty()) {
            text = AlignedText::inserted(content, text.origin());
        } else if (place == 0) {
            text.prepend(content);
        } else {
            text.substitute({{place, place}}, content);
        }
    }

    SentencePieceOptions options_;
    Trie symbols_;
};

}  // namespace

NormalizerPtr sentencepiece_normalizer(SentencePieceOptions options) {
    return std::make_shared<SentencePieceNormalizer>(std::move(options));
}

}  // namespace headway
