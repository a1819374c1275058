#include "training/measure.h"

#include <algorithm>
#include <string>

#include "text/byte_alphabet.h"
#include "text/utf8.h"
#include "training/parallel.h"

namespace headway {

TokenCount count_tokens(const Model& model, const WordList& words, bool is_bytes, size_t threads) {
    constexpr size_t kBlock = 1 << 12;
    std::vector<TokenCount> counts(std::max<size_t>(threads, 1));
    share(counts.size(), (words.size() + kBlock - 1) / kBlock, [&](size_t block, size_t thread) {
        std::vector<Piece> pieces;
        std::string written;
        const size_t end = std::min(words.size(), (block + 1) * kBlock);
        for (size_t i = block * kBlock; i < end; ++i) {
            std::string_view word = words.word(i);
            if (is_bytes) {
                written.clear();
                for (const char byte : word) {
                    append_utf8(written, byte_alphabet()[static_cast<unsigned char>(byte)]);
                }
                word = written;
            }
            pieces.clear();
            const bool is_known = model.tokenize(word, pieces);
            counts[thread].tokens += (is_known ? pieces.size() : 1) * words.count(i);
            counts[thread].words += words.count(i);
        }
        return true;
    });
    TokenCount total;
    for (const TokenCount& count : counts) {
        total.tokens += count.tokens;
        total.words += count.words;
    }
    return total;
}

}  // namespace headway
