// SentencePiece's way through a text: words begin with a visible mark where a space was. ASCII words
// are read as they stand; whatever else there is goes through the normalizer, word by word.
#pragma once

#include <string>

#include "engine/fast_path.h"
#include "models/model.h"
#include "models/sentencepiece.h"
#include "steps/steps.h"

namespace headway {

struct MetaspaceOptions {
    // Changes single characters (and grapheme clusters); may be null. What it does to each ASCII
    // character is found out by asking it.
    NormalizerPtr normalizer;
    // ASCII characters that the normalizer treats together with their neighbours.
    std::string contextual;
    // What the mark before a word stands for: the word's first character, or one of the spaces
    // before it. In the latter cases only U+0020 separates words.
    enum Mark { kFirstCharacter, kFirstSpace, kLastSpace } mark = kFirstCharacter;
};

class MetaspacePath : public FastPath {
   public:
    MetaspacePath(MetaspaceOptions options, ModelPtr model);

    // SentencePiece's own model, whose words `words_apart`.
    MetaspacePath(MetaspaceOptions options, std::shared_ptr<const SpmUnigram> model);

    Outcome encode(const Part& part, Worker& worker, Tokens& out) const override;
    const ByteAlias* alias() const override { return &alias_; }
    bool find_regions(const Part& part, std::vector<Region>& regions) const override;

   private:
    struct Run;
    enum Kind : uint8_t { kPlain, kSpace, kSlow };

    void learn_ascii();
    size_t slow_end(const unsigned char* text, size_t size, size_t at) const;

    MetaspaceOptions options_;
    ModelPtr model_;
    std::shared_ptr<const SpmUnigram> whole_text_;  // the model, where it adds up over words
    ByteAlias alias_{};
    std::array<Kind, 256> kinds_{};
    bool exchanges_ = false;      // whether alias changes any plain character
    bool usual_is_plain_ = true;  // whether no usual character is slow
};

}  // namespace headway
