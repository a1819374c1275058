#include "steps/normalizers.h"

#include "steps/characters.h"
#include "unicode/classes.h"

namespace headway {

namespace {

// A normalizer from a function that changes a text.
template <class Change>
class FromFunction : public Normalizer {
   public:
    explicit FromFunction(Change change) : change_(std::move(change)) {}
    void apply(AlignedText& text) const override { change_(text); }

   private:
    Change change_;
};

template <class Change>
NormalizerPtr from_function(Change change) {
    return std::make_shared<FromFunction<Change>>(std::move(change));
}

// The cleaning of sentencepiece's nmt_* rules.
char32_t nmt_character(char32_t code) {
    const auto in = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    if (code == 9 || code == 10 || code == 12 || code == 13) return ' ';
    if (in(1, 8) || code == 11 || in(14, 31) || code == 127 || code == 0x8F || code == 0x9F) {
        return kDeleted;
    }
    const bool space = code == 0x1680 || in(0x200B, 0x200F) || code == 0x2028 || code == 0x2029 ||
                       code == 0x2581 || code == 0xFEFF || code == 0xFFFD;
    return space ? U' ' : code;
}

char32_t without_mark(char32_t code) {
    return is_any_of(code, kClassCombiningMark) ? kDeleted : code;
}

void strip(AlignedText& text, bool left, bool right) {
    uint32_t start = 0, end = uint32_t(text.text.size());
    while (left && start < end && is_space(text.text[start])) ++start;
    while (right && end > start && is_space(text.text[end - 1])) --end;
    text = text.slice(start, end);
}

}  // namespace

NormalizerPtr lowercase_normalizer() { return from_function(to_lowercase); }

NormalizerPtr normal_form_normalizer(NormalForm form) {
    return from_function([form](AlignedText& text) { to_normal_form(form, text); });
}

NormalizerPtr nmt_normalizer() {
    return from_function([](AlignedText& text) { map_characters(text, nmt_character); });
}

NormalizerPtr strip_accents_normalizer() {
    return from_function([](AlignedText& text) { map_characters(text, without_mark); });
}

NormalizerPtr strip_normalizer(bool left, bool right) {
    return from_function([left, right](AlignedText& text) { strip(text, left, right); });
}

NormalizerPtr byte_level_normalizer() { return from_function(to_byte_alphabet); }

NormalizerPtr prepend_normalizer(std::u32string content) {
    return from_function(
        [content = std::move(content)](AlignedText& text) { text.prepend(content); });
}

NormalizerPtr replace_normalizer(FindSpans find, std::u32string content) {
    return from_function(
        [find = std::move(find), content = std::move(content)](AlignedText& text) {
            if (text.text.empty()) return;
            const std::vector<Span> spans = find(text.text);
            if (!spans.empty()) text.substitute(spans, content);
        });
}

NormalizerPtr normalizer_sequence(std::vector<NormalizerPtr> parts) {
    return from_function([parts = std::move(parts)](AlignedText& text) {
        for (const NormalizerPtr& part : parts) part->apply(text);
    });
}

}  // namespace headway
