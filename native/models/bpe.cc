#include "models/bpe.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "models/byte_tokens.h"
#include "text/byte_alphabet.h"
#include "text/utf8.h"

namespace headway {

namespace {

constexpr uint32_t kNone = StringTable::kNone;
}  // namespace

MergeTable::MergeTable(const std::vector<Merge>& merges) {
    int slot_bits = 4;
    while ((size_t(1) << slot_bits) < merges.size() + merges.size() / 4 + 2) ++slot_bits;
    slots_.assign(size_t(1) << slot_bits, Slot{});
    bits_.assign(size_t(1) << (slot_bits + kBitsASlot) >> 6, 0);
    mask_ = slots_.size() - 1;
    shift_ = 64 - slot_bits;
    for (size_t rank = 0; rank < merges.size(); ++rank) {
        const auto& [left, right, merged] = merges[rank];
        const uint64_t key = key_of(left, right), hash = hash_of(key);
        const size_t bit = hash >> (shift_ - kBitsASlot);
        bits_[bit >> 6] |= uint64_t(1) << (bit & 63);
        size_t at = hash >> shift_;
        while (slots_[at].key != kEmpty && slots_[at].key != key) at = (at + 1) & mask_;
        slots_[at] = {key, {uint32_t(rank), merged}};
    }
}

Bpe::Bpe(const Vocabulary& vocabulary, const std::vector<Merge>& merges, BpeOptions options)
    : merges_(merges), options_(std::move(options)) {
    for (const auto& [token, id] : vocabulary) vocabulary_.set(token, id);
    if (options_.has_unknown) unknown_ = vocabulary_.find(options_.unknown);
    byte_tokens_ = byte_tokens([&](std::string_view token) { return vocabulary_.find(token); });
    for (unsigned code = 0; code < 128; ++code) {
        const char written = char(code);
        plain_[code] = vocabulary_.find({&written, 1});
    }
    learn_bytes(vocabulary);
}

void Bpe::learn_bytes(const Vocabulary& vocabulary) {
    byte_ids_.fill(kNone);
    std::string bytes;
    for (const auto& [token, id] : vocabulary) {
        if (!from_byte_alphabet(token, bytes)) continue;
        as_bytes_.set(bytes, id);
        if (bytes.size() == 1) byte_ids_[static_cast<unsigned char>(bytes[0])] = id;
    }
    has_all_bytes_ = options_.prefix.empty() && options_.suffix.empty() &&
                     std::find(byte_ids_.begin(), byte_ids_.end(), kNone) == byte_ids_.end();
    if (!has_all_bytes_) return;
    byte_pairs_.resize(size_t(1) << 16);
    for (size_t pair = 0; pair < byte_pairs_.size(); ++pair) {
        byte_pairs_[pair] = merges_.find(byte_ids_[pair >> 8], byte_ids_[pair & 255]);
    }
}

bool Bpe::tokenize(std::string_view piece, std::vector<Piece>& out) const {
    if (options_.ignore_merges) {
        const uint32_t whole = vocabulary_.find(piece);
        if (whole != kNone) {
            out.push_back({whole, 0, uint32_t(piece.size())});
            return true;
        }
    }
    thread_local std::vector<Symbol> symbols;
    symbols.clear();
    if (!symbols_of(piece, symbols)) {
        out.push_back({0, symbols.back().start, symbols.back().end});
        return false;
    }
    merge(symbols);
    for (const Symbol& symbol : symbols) out.push_back({symbol.id, symbol.start, symbol.end});
    return true;
}

void Bpe::tokenize_bytes(std::string_view piece, std::vector<Piece>& out) const {
    if (options_.ignore_merges) {
        const uint32_t whole = as_bytes_.find(piece);
        if (whole != kNone) {
            out.push_back({whole, 0, uint32_t(piece.size())});
            return;
        }
    }
    if (piece.size() > kShort) return tokenize_long_bytes(piece, out);
    const auto* bytes = reinterpret_cast<const unsigned char*>(piece.data());
    ShortWord word;
    word.ids[0] = byte_ids_[bytes[0]];
    word.ends[0] = 1;
    for (size_t i = 1; i < piece.size(); ++i) {
        word.ids[i] = byte_ids_[bytes[i]];
        word.ends[i] = uint32_t(i + 1);
        const auto& found = byte_pairs_[size_t(bytes[i - 1]) << 8 | bytes[i]];
        word.ranks[i - 1] = found.rank;
        word.merged[i - 1] = found.merged;
    }
    const size_t count = merge_short(word, piece.size());
    for (size_t i = 0, start = 0; i < count; start = word.ends[i++]) {
        out.push_back({word.ids[i], uint32_t(start), word.ends[i]});
    }
}

void Bpe::tokenize_long_bytes(std::string_view piece, std::vector<Piece>& out) const {
    std::vector<Symbol> symbols(piece.size());
    for (uint32_t i = 0; i < piece.size(); ++i) {
        symbols[i] = {byte_ids_[static_cast<unsigned char>(piece[i])], i, i + 1};
    }
    merge_long(symbols);
    for (const Symbol& symbol : symbols) out.push_back({symbol.id, symbol.start, symbol.end});
}

uint32_t Bpe::id_of(char32_t code, std::string_view written, bool first, bool last) const {
    const bool affixed = (!first && !options_.prefix.empty()) || (last && !options_.suffix.empty());
    if (!affixed) return code < 128 ? plain_[code] : vocabulary_.find(written);
    std::string whole;
    if (!first) whole += options_.prefix;
    whole += written;
    if (last) whole += options_.suffix;
    return vocabulary_.find(whole);
}

// A symbol a character, or a byte, before any merge; false where one has no token and no stand-in.
bool Bpe::symbols_of(std::string_view piece, std::vector<Symbol>& symbols) const {
    const auto* text = reinterpret_cast<const unsigned char*>(piece.data());
    Symbol held{kNone, 0, 0};  // an unknown token, which comes after bytes that follow it
    const auto release = [&] {
        if (held.id != kNone) symbols.push_back(held);
        held.id = kNone;
    };
    for (size_t at = 0; at < piece.size();) {
        const uint32_t start = uint32_t(at);
        const char32_t code = next_code_point(text, at);
        const uint32_t end = uint32_t(at);
        const bool first = start == 0, last = end == piece.size();
        const std::string_view written = piece.substr(start, end - start);
        const uint32_t id = id_of(code, written, first, last);
        if (id != kNone) {
            release();
            symbols.push_back({id, start, end});
            continue;
        }
        if (options_.byte_fallback) {
            std::string bytes;
            if (!first) bytes += options_.prefix;
            bytes += written;
            if (last) bytes += options_.suffix;
            const auto known = [&](char byte) {
                return byte_tokens_[static_cast<unsigned char>(byte)] != kNone;
            };
            if (std::all_of(bytes.begin(), bytes.end(), known)) {
                for (uint32_t k = 0; k < bytes.size(); ++k) {
                    const uint32_t place = std::min(start + k, end - 1);
                    symbols.push_back(
                        {byte_tokens_[static_cast<unsigned char>(bytes[k])], place, place + 1});
                }
                continue;
            }
        }
        if (held.id != kNone && options_.fuse_unknown) {
            held.end = end;
        } else if (options_.has_unknown) {
            release();
            if (unknown_ == kNone) {
                symbols.push_back({0, start, end});
                return false;
            }
            held = {unknown_, start, end};
        }
    }
    release();
    return true;
}

void Bpe::merge(std::vector<Symbol>& symbols) const {
    const size_t count = symbols.size();
    if (count > kShort) return merge_long(symbols);
    ShortWord word;
    for (size_t i = 0; i < count; ++i) {
        word.ids[i] = symbols[i].id;
        word.ends[i] = uint32_t(i + 1);
        if (i == 0) continue;
        const auto found = merges_.find(word.ids[i - 1], word.ids[i]);
        word.ranks[i - 1] = found.rank;
        word.merged[i - 1] = found.merged;
    }
    // Ends count symbols here, whose own places need not lie side by side.
    const size_t kept = merge_short(word, count);
    for (size_t i = 0, first = 0; i < kept; first = word.ends[i++]) {
        symbols[i] = {word.ids[i], symbols[first].start, symbols[word.ends[i] - 1].end};
    }
    symbols.resize(kept);
}

// Looks at every pair again after each merge: for words of usual length nothing is faster. The loop
// that closes the gap is a few steps long, so it must not become a call of memmove.
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif
size_t Bpe::merge_short(ShortWord& word, size_t count) const {
    auto& [ids, ends, ranks, merged] = word;
    const auto look = [&](size_t i) {
        const auto found = merges_.find(ids[i], ids[i + 1]);
        ranks[i] = found.rank;
        merged[i] = found.merged;
    };
    while (count > 1) {
        size_t best = 0;
        uint32_t least = ranks[0];
        for (size_t i = 1; i + 1 < count; ++i) {
            const bool less = ranks[i] < least;
            least = less ? ranks[i] : least;
            best = less ? i : best;
        }
        if (least == MergeTable::kNoRank) break;
        ids[best] = merged[best];
        ends[best] = ends[best + 1];
        --count;
        for (size_t i = best + 1; i < count; ++i) {
            ids[i] = ids[i + 1];
            ends[i] = ends[i + 1];
            ranks[i] = ranks[i + 1];
            merged[i] = merged[i + 1];
        }
        if (best > 0) look(best - 1);
        if (best + 1 < count) look(best);
    }
    return count;
}

// Pairs wait in a queue and symbols in a linked list: n log n steps for n symbols.
void Bpe::merge_long(std::vector<Symbol>& symbols) const {
    const size_t size = symbols.size();
    std::vector<uint32_t> left(size), right(size);
    std::vector<uint64_t> waiting;  // rank, then place: the smallest is merged first
    const auto rank_of = [&](uint32_t i) {
        return right[i] < size ? merges_.find(symbols[i].id, symbols[right[i]].id)
                               : MergeTable::Found{};
    };
    for (uint32_t i = 0; i < size; ++i) {
        left[i] = i - 1;  // the first one's is no place
        right[i] = i + 1;
        const auto found = rank_of(i);
        if (found.rank != MergeTable::kNoRank) waiting.push_back(uint64_t(found.rank) << 32 | i);
    }
    std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> queue(std::greater<>(),
                                                                               std::move(waiting));
    std::vector<char> swallowed(size, 0);
    const auto consider = [&](uint32_t i) {
        const auto found = rank_of(i);
        if (found.rank != MergeTable::kNoRank) queue.push(uint64_t(found.rank) << 32 | i);
    };
    while (!queue.empty()) {
        const uint32_t rank = uint32_t(queue.top() >> 32), i = uint32_t(queue.top());
        queue.pop();
        if (swallowed[i]) continue;
        const auto found = rank_of(i);
        if (found.rank != rank) continue;  // one of the two has been merged with another since
        const uint32_t next = right[i];
        symbols[i].id = found.merged;
        symbols[i].end = symbols[next].end;
        swallowed[next] = 1;
        right[i] = right[next];
        if (right[i] < size) left[right[i]] = i;
        consider(i);
        if (left[i] < size) consider(left[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < size; ++i) {
        if (!swallowed[i]) symbols[kept++] = symbols[i];
    }
    symbols.resize(kept);
}

}  // namespace headway
