#include "steps/pretokenizers.h"

#include "steps/characters.h"
#include "steps/finders.h"
#include "unicode/classes.h"
#include "unicode/scripts.h"

namespace headway {

namespace {

// A pre-tokenizer from a function that appends the pieces of a text.
template <class Split>
class FromFunction : public PreTokenizer {
   public:
    explicit FromFunction(Split split) : split_(std::move(split)) {}
    void split(const AlignedText& text, std::vector<AlignedText>& out) const override {
        split_(text, out);
    }

   private:
    Split split_;
};

template <class Split>
PreTokenizerPtr from_function(Split split) {
    return std::make_shared<FromFunction<Split>>(std::move(split));
}

// Cuts at each character of a class.
PreTokenizerPtr split_at(uint32_t wanted, Behavior behavior) {
    return from_function([=](const AlignedText& text, std::vector<AlignedText>& out) {
        std::vector<Span> spans;
        for (uint32_t i = 0; i < text.text.size(); ++i) {
            if (is_any_of(text.text[i], wanted)) spans.emplace_back(i, i + 1);
        }
        cut_parts(text, parts_of(text.text.size(), spans), behavior, out);
    });
}

// Appends the runs of characters of one kind; kind 0 is left out, kind 1 is cut after each.
template <class KindOf>
void cut_runs(const AlignedText& text, std::vector<AlignedText>& out, const KindOf& kind_of) {
    const uint32_t size = uint32_t(text.text.size());
    for (uint32_t start = 0, end; start < size; start = end) {
        const int kind = kind_of(text.text[start]);
        end = start + 1;
        while (kind != 1 && end < size && kind_of(text.text[end]) == kind) ++end;
        if (kind != 0) out.push_back(text.slice(start, end));
    }
}

int bert_kind(char32_t code) {
    const uint32_t classes_of = classes(code);
    return classes_of & kClassBertPunctuation ? 1 : classes_of & kClassSpace ? 0 : 2;
}

int word_kind(char32_t code) {
    const uint32_t classes_of = classes(code);
    return classes_of & kClassWord ? 2 : classes_of & kClassSpace ? 0 : 3;
}

void split_scripts(const AlignedText& text, std::vector<AlignedText>& out) {
    const uint32_t size = uint32_t(text.text.size());
    uint32_t start = size;  // what comes before the first script is in no piece
    uint8_t last = 0;
    for (uint32_t i = 0; i < size; ++i) {
        const uint8_t script = script_of(text.text[i]);
        if (script == 0 || script == last) continue;
        if (start < i) out.push_back(text.slice(start, i));
        start = i;
        last = script;
    }
    if (start < size) out.push_back(text.slice(start, size));
}

}  // namespace

PreTokenizerPtr bert_pretokenizer() {
    return from_function([](const AlignedText& text, std::vector<AlignedText>& out) {
        cut_runs(text, out, bert_kind);
    });
}

PreTokenizerPtr whitespace_pretokenizer() {
    return from_function([](const AlignedText& text, std::vector<AlignedText>& out) {
        cut_runs(text, out, word_kind);
    });
}

PreTokenizerPtr whitespace_split_pretokenizer() {
    return split_at(kClassSpace, Behavior::kRemoved);
}

PreTokenizerPtr punctuation_pretokenizer(Behavior behavior) {
    return split_at(kClassBertPunctuation, behavior);
}

PreTokenizerPtr digits_pretokenizer(bool individual) {
    return split_at(kClassDigit, individual ? Behavior::kIsolated : Behavior::kContiguous);
}

PreTokenizerPtr split_pretokenizer(FindSpans find, Behavior behavior, bool invert) {
    return from_function([find = std::move(find), behavior, invert](
                             const AlignedText& text, std::vector<AlignedText>& out) {
        std::vector<TextPart> parts = parts_of(text.text.size(), find(text.text));
        for (TextPart& part : parts) part.is_match = part.is_match != invert;
        cut_parts(text, std::move(parts), behavior, out);
    });
}

PreTokenizerPtr byte_level_pretokenizer(bool prefix_space, FindSpans words) {
    return from_function([prefix_space, words = std::move(words)](const AlignedText& text,
                                                                  std::vector<AlignedText>& out) {
        AlignedText whole = text;
        if (prefix_space && !whole.text.starts_with(U' ')) whole.prepend(U" ");
        const size_t first = out.size();
        if (words) {
            for (const auto& [start, end] : words(whole.text)) out.push_back(whole.slice(start, end));
        } else if (!whole.text.empty()) {
            out.push_back(std::move(whole));
        }
        for (size_t i = first; i < out.size(); ++i) to_byte_alphabet(out[i]);
    });
}

PreTokenizerPtr metaspace_pretokenizer(char32_t mark, MetaspaceScheme scheme, bool split) {
    const FindSpans find = find_text({mark});
    return from_function([=](const AlignedText& text, std::vector<AlignedText>& out) {
        AlignedText whole = text;
        std::replace(whole.text.begin(), whole.text.end(), U' ', mark);
        const bool is_wanted = scheme == MetaspaceScheme::kAlways ||
                               (scheme == MetaspaceScheme::kFirst && whole.origin() == 0);
        if (is_wanted && !whole.text.starts_with(mark)) whole.prepend({&mark, 1});
        if (split) {
            const std::vector<Span> marks = find(whole.text);
            cut_parts(whole, parts_of(whole.text.size(), marks), Behavior::kMergedWithNext, out);
        } else if (!whole.text.empty()) {
            out.push_back(std::move(whole));
        }
    });
}

PreTokenizerPtr unicode_scripts_pretokenizer() { return from_function(split_scripts); }

PreTokenizerPtr fixed_length_pretokenizer(uint32_t length) {
    return from_function([length](const AlignedText& text, std::vector<AlignedText>& out) {
        const size_t size = text.text.size();
        for (size_t i = 0; i < size; i += length) {
            out.push_back(text.slice(uint32_t(i), uint32_t(std::min(i + length, size))));
        }
    });
}

PreTokenizerPtr pretokenizer_sequence(std::vector<PreTokenizerPtr> parts) {
    return from_function([parts = std::move(parts)](const AlignedText& text,
                                                    std::vector<AlignedText>& out) {
        std::vector<AlignedText> pieces{text}, next;
        for (const PreTokenizerPtr& part : parts) {
            next.clear();
            for (const AlignedText& piece : pieces) part->split(piece, next);
            pieces.swap(next);
        }
        for (AlignedText& piece : pieces) {
            if (!piece.text.empty()) out.push_back(std::move(piece));
        }
    });
}

}  // namespace headway
