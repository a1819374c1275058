// Cleaning, spaces around Chinese characters, accents and case, as BERT does (Devlin et al. 2018).
#include "steps/characters.h"
#include "steps/normalizers.h"
#include "unicode/classes.h"

namespace headway {

namespace {

char32_t cleaned(char32_t code) {
    const uint32_t classes_of = classes(code);
    return classes_of & kClassBertControl ? kDeleted : classes_of & kClassSpace ? U' ' : code;
}

bool is_chinese(char32_t code) { return is_any_of(code, kClassBertChinese); }

void space_chinese(AlignedText& text) {
    if (std::none_of(text.text.begin(), text.text.end(), is_chinese)) return;
    Draft draft;
    draft.reserve(3 * text.text.size());
    for (size_t i = 0; i < text.text.size(); ++i) {
        const bool spaced = is_chinese(text.text[i]);
        if (spaced) draft.add(' ', i);
        draft.add(text.text[i], i);
        if (spaced) draft.add(' ', i);
    }
    text.become(std::move(draft));
}

class BertNormalizer : public Normalizer {
   public:
    explicit BertNormalizer(BertOptions options) : options_(options) {}

    void apply(AlignedText& text) const override {
        if (options_.clean_text) map_characters(text, cleaned);
        if (!is_ascii(text.text)) {
            if (options_.space_chinese) space_chinese(text);
            if (options_.strip_accents) {
                to_normal_form(NormalForm::kNfd, text);
                map_characters(text, [](char32_t code) {
                    return is_any_of(code, kClassBertNonspacing) ? kDeleted : code;
                });
            }
        }
        if (options_.lowercase) to_lowercase(text);
    }

   private:
    BertOptions options_;
};

}  // namespace

NormalizerPtr bert_normalizer(BertOptions options) {
    return std::make_shared<BertNormalizer>(options);
}

}  // namespace headway
