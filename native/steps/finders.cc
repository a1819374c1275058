#include "steps/finders.h"

#include <algorithm>

#include "text/characters.h"
#include "text/utf8.h"

namespace headway {

namespace {

// How many words a splitter is asked for at a time.
constexpr size_t kWords = 256;

}  // namespace

FindSpans find_text(std::u32string wanted) {
    return [wanted = std::move(wanted)](std::u32string_view text) {
        std::vector<Span> spans;
        const size_t step = std::max<size_t>(wanted.size(), 1);
        for (size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + step)) {
            spans.emplace_back(at, at + wanted.size());
        }
        return spans;
    };
}

FindSpans find_runs(std::u32string characters, uint32_t least, uint32_t most) {
    return [=](std::u32string_view text) {
        std::vector<Span> spans;
        for (size_t at = 0; at < text.size();) {
            size_t end = at;
            while (end < text.size() && end - at < most &&
                   characters.find(text[end]) != characters.npos) {
                ++end;
            }
            if (end > at && end - at >= least) spans.emplace_back(at, end);
            at = std::max(end, at + 1);
        }
        return spans;
    };
}

FindSpans find_words(SplitterPtr splitter) {
    return [splitter = std::move(splitter)](std::u32string_view text) {
        const std::string bytes = encode_utf8(text);
        const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
        std::vector<Span> spans;
        uint32_t ends[kWords];
        size_t at = 0, start = 0;
        uint32_t character = 0;
        while (const size_t count = splitter->cut(data, bytes.size(), at, ends, kWords)) {
            for (size_t i = 0; i < count; ++i) {
                const auto word = std::string_view(bytes).substr(start, ends[i] - start);
                const uint32_t end = character + count_characters(word);
                spans.emplace_back(character, end);
                character = end;
                start = ends[i];
            }
        }
        return spans;
    };
}

}  // namespace headway
