#include "engine/region.h"

#include "text/characters.h"
#include "text/utf8.h"

namespace headway {

namespace {

constexpr size_t kKept = 128;  // bytes up to which a stretch is worth remembering
constexpr size_t kFields = 4;  // id, start, end, word

}  // namespace

bool RegionEncoder::encode(std::string_view bytes, uint32_t start, Worker& worker,
                           Tokens& out) const {
    const WordKey key = WordCache::long_key(bytes, 1);
    const uint64_t hash = key.hash();
    size_t count = 0;
    const uint32_t* values = nullptr;
    if (bytes.size() <= kKept) values = worker.cache.find_far(bytes, key, hash, count);
    thread_local std::vector<uint32_t> fresh;
    if (!values) {
        if (!run(bytes, worker, fresh)) return false;
        if (bytes.size() <= kKept) worker.cache.keep(bytes, key, hash, fresh.data(), fresh.size());
        values = fresh.data();
        count = fresh.size();
    }
    // The last number is how many pieces there were, with tokens or without.
    const uint32_t first_word = out.word;
    for (size_t i = 0; i + 1 < count; i += kFields) {
        out.word = first_word + values[i + 3];
        out.push(values[i], start + values[i + 1], start + values[i + 2]);
    }
    out.word = first_word + values[count - 1];
    return true;
}

bool RegionEncoder::run(std::string_view bytes, Worker& worker,
                        std::vector<uint32_t>& values) const {
    values.clear();
    AlignedText text(decode_utf8(bytes));
    if (normalizer_) normalizer_->apply(text);
    std::vector<AlignedText>& parts = worker.parts;
    parts.clear();
    if (!text.text.empty()) {
        if (pretokenizer_) {
            pretokenizer_->split(text, parts);
        } else {
            parts.push_back(std::move(text));
        }
    }
    uint32_t word = 0;
    for (const AlignedText& part : parts) {
        const std::string piece = encode_utf8(part.text);
        worker.pieces.clear();
        if (!model_->tokenize(piece, worker.pieces)) {
            const Piece& bad = worker.pieces.back();
            worker.unknown = piece.substr(bad.start, bad.end - bad.start);
            return false;
        }
        number_characters(piece, worker.characters);
        for (const Piece& token : worker.pieces) {
            const auto [start, end] = part.span(worker.characters[token.start],
                                                worker.characters[token.end - 1] + 1);
            values.insert(values.end(), {token.id, start, end, word});
        }
        ++word;
    }
    values.push_back(word);
    return true;
}

}  // namespace headway
