// Normalizers: what a tokenizer.json does to a text before it is cut.
//
// Their conventions, and what each is for, stand in the readable twin:
// src/headway/tokenizer/normalizers.py.
#pragma once

#include <string>
#include <vector>

#include "steps/charsmap.h"
#include "steps/normal_forms.h"
#include "steps/steps.h"

namespace headway {

struct BertOptions {
    bool clean_text, space_chinese, strip_accents, lowercase;
};

NormalizerPtr bert_normalizer(BertOptions options);
NormalizerPtr lowercase_normalizer();
NormalizerPtr normal_form_normalizer(NormalForm form);
NormalizerPtr nmt_normalizer();
NormalizerPtr strip_accents_normalizer();
NormalizerPtr strip_normalizer(bool left, bool right);
// Each character becomes the characters of its bytes.
NormalizerPtr byte_level_normalizer();
NormalizerPtr prepend_normalizer(std::u32string content);
NormalizerPtr replace_normalizer(FindSpans find, std::u32string content);
// The rules as the `tokenizers` package applies them: grapheme cluster by cluster.
NormalizerPtr precompiled_normalizer(Charsmap rules);
NormalizerPtr normalizer_sequence(std::vector<NormalizerPtr> parts);

}  // namespace headway
