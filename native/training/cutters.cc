#include "training/cutters.h"

#include "text/utf8.h"

namespace headway {

namespace {

constexpr size_t kWordsAtOnce = 256;

std::string normalized(std::string_view text, const Normalizer& normalizer) {
    AlignedText aligned(decode_utf8(text));
    normalizer.apply(aligned);
    return encode_utf8(aligned.text);
}

class PatternCutter : public WordCutter {
   public:
    PatternCutter(SplitterPtr splitter, NormalizerPtr normalizer)
        : splitter_(std::move(splitter)), normalizer_(std::move(normalizer)) {}

    void cut(std::string_view text, WordTable& words, WordTable&) const override {
        if (!normalizer_) return count(text, words);
        count(normalized(text, *normalizer_), words);
    }

    void cut_stretch(std::string_view stretch, uint64_t count, WordTable& words) const override {
        words.add(stretch, count);
    }

   private:
    void count(std::string_view text, WordTable& words) const {
        const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
        uint32_t ends[kWordsAtOnce];
        ByteSpan spans[kWordsAtOnce];
        uint32_t start = 0;
        for (size_t at = 0;;) {
            const size_t found = splitter_->cut(bytes, text.size(), at, ends, kWordsAtOnce);
            if (found == 0) return;
            for (size_t i = 0; i < found; ++i) {
                spans[i] = {start, ends[i]};
                start = ends[i];
            }
            words.add_all(text, spans, found);
        }
    }

    SplitterPtr splitter_;
    NormalizerPtr normalizer_;
};

class EachCharacter : public Splitter {
   public:
    size_t cut(const unsigned char* text, size_t size, size_t& at, uint32_t* ends,
               size_t capacity) const override {
        size_t found = 0;
        for (; found < capacity && at < size; ++found) {
            at += utf8_length(text[at]);
            ends[found] = uint32_t(at);
        }
        return found;
    }
};

class StretchCutter : public WordCutter {
   public:
    StretchCutter(NormalizerPtr normalizer, PreTokenizerPtr pretokenizer)
        : normalizer_(std::move(normalizer)), pretokenizer_(std::move(pretokenizer)) {}

    void cut(std::string_view text, WordTable& words, WordTable& stretches) const override {
        ByteSpan spans[kWordsAtOnce];
        size_t found = 0;
        for (size_t at = 0; at < text.size();) {
            if (is_gap(text[at])) {
                ++at;
                continue;
            }
            const size_t start = at;
            while (at < text.size() && !is_gap(text[at])) ++at;
            if (at - start > kKept) {
                cut_stretch(text.substr(start, at - start), 1, words);
                continue;
            }
            spans[found++] = {uint32_t(start), uint32_t(at)};
            if (found < kWordsAtOnce) continue;
            stretches.add_all(text, spans, found);
            found = 0;
        }
        stretches.add_all(text, spans, found);
    }

    void cut_stretch(std::string_view stretch, uint64_t count, WordTable& words) const override {
        AlignedText text(decode_utf8(stretch));
        if (normalizer_) normalizer_->apply(text);
        if (text.text.empty()) return;
        thread_local std::vector<AlignedText> pieces;
        pieces.clear();
        pretokenizer_->split(text, pieces);
        for (const AlignedText& piece : pieces) words.add(encode_utf8(piece.text), count);
    }

   private:
    static constexpr size_t kKept = 128;  // bytes of a stretch that is likely to come again

    static bool is_gap(char byte) {
        return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
    }

    NormalizerPtr normalizer_;
    PreTokenizerPtr pretokenizer_;
};

}  // namespace

WordCutterPtr pattern_cutter(SplitterPtr splitter, NormalizerPtr normalizer) {
    return std::make_shared<PatternCutter>(std::move(splitter), std::move(normalizer));
}

WordCutterPtr character_cutter(NormalizerPtr normalizer) {
    return pattern_cutter(std::make_shared<EachCharacter>(), std::move(normalizer));
}

WordCutterPtr stretch_cutter(NormalizerPtr normalizer, PreTokenizerPtr pretokenizer) {
    return std::make_shared<StretchCutter>(std::move(normalizer), std::move(pretokenizer));
}

}  // namespace headway
