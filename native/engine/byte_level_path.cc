#include "engine/byte_level_path.h"

#include <algorithm>

#include "engine/word_writer.h"
#include "text/characters.h"

namespace headway {

namespace {

constexpr size_t kWordsAtOnce = 256;

bool tokenize(const void* model, std::string_view word, Worker& worker) {
    static_cast<const Bpe*>(model)->tokenize_bytes(word, worker.pieces);
    return true;
}

bool is_plain(const WordKey& key) {  // the length, in the last byte, is below 128
    return ((key.low | key.high) & 0x8080808080808080u) == 0;
}

}  // namespace

Outcome ByteLevelPath::encode(const Part& part, Worker& worker, Tokens& out) const {
    if (!prefix_space_ || part.bytes.front() == ' ') {
        encode_words(part, worker, out);
        return Outcome::kDone;
    }
    // A space is put before the text; it stands for the first character.
    worker.bytes.assign(1, ' ').append(part.bytes);
    const size_t first = out.ids.size();
    Part longer = part;
    longer.bytes = worker.bytes;
    encode_words(longer, worker, out);
    if (out.wanted.offsets) {
        for (size_t i = first; i < out.ids.size(); ++i) {
            const uint32_t end = std::max(out.ends[i] - 1, part.start + 1);
            out.starts[i] = std::max(out.starts[i], part.start + 1) - 1;
            out.ends[i] = end;
        }
    }
    return Outcome::kDone;
}

void ByteLevelPath::encode_words(const Part& part, Worker& worker, Tokens& out) const {
    const auto* text = reinterpret_cast<const unsigned char*>(part.bytes.data());
    const size_t size = part.bytes.size();
    const bool counts = out.wanted.offsets && !part.ascii;
    WordWriter writer(worker, out, model_.get(), tokenize);
    uint32_t ends[kWordsAtOnce];
    uint32_t character = part.start;
    size_t start = 0;
    for (size_t at = 0;;) {
        const size_t words = splitter_->cut(text, size, at, ends, kWordsAtOnce);
        if (words == 0) break;
        for (size_t i = 0; i < words; ++i) {
            const auto* bytes = text + start;
            const auto length = uint32_t(ends[i] - start);
            bool plain = true;
            // The word is made where it is used: often it is not needed.
            const auto word = [&] {
                return Word{bytes, length, character, character, character, plain};
            };
            if (length <= WordCache::kShort) {
                const WordKey key = WordCache::short_key_in(text, size, start, length);
                if (counts) plain = is_plain(key);
                writer.add(word(), key);
            } else {
                plain = !counts;
                writer.add_long(word());
            }
            character += plain ? length : count_characters(part.bytes.substr(start, length));
            start = ends[i];
        }
    }
    writer.flush();
}

}  // namespace headway
