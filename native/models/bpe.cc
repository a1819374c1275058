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
constexpr size_t kShort = 96;  // symbols up to which looking at every pair beats a queue

}  // namespace

MergeTable::MergeTable(const std::vector<Merge>& merges) {
    int bits = 4;
    while ((size_t(1) << bits) < 2 * merges.size() + 2) ++bits;
    slots_.assign(size_t(1) << bits, Slot{});
    mask_ = slots_.size() - 1;
    shift_ = 64 - bits;
    for (size_t rank = 0; rank < merges.size(); ++rank) {
        const auto& [left, right, merged] = merges[rank];
        const uint64_t key = uint64_t(left) << 32 | right;
        size_t at = place(key);
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
    thread_local std::vector<Symbol> symbols;
    symbols.resize(piece.size());
    for (uint32_t i = 0; i < piece.size(); ++i) {
        symbols[i] = {byte_ids_[static_cast<unsigned char>(piece[i])], i, i + 1};
    }
    merge(symbols);
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
    if (symbols.size() < 2) return;
    if (symbols.size() <= kShort) {
        merge_short(symbols);
    } else {
        merge_long(symbols);
    }
}

// Looks at every pair again after each merge: for words of usual length nothing is faster.
void Bpe::merge_short(std::vector<Symbol>& symbols) const {
    uint32_t ranks[kShort], merged[kShort];
    size_t count = symbols.size();
    const auto look = [&](size_t i) {
        const auto found = merges_.find(symbols[i].id, symbols[i + 1].id);
        ranks[i] = found.rank;
        merged[i] = found.merged;
    };
    for (size_t i = 0; i + 1 < count; ++i) look(i);
    while (count > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < count; ++i) {
            if (ranks[i] < ranks[best]) best = i;
        }
        if (ranks[best] == MergeTable::kNoRank) break;
        symbols[best] = {merged[best], symbols[best].start, symbols[best + 1].end};
        --count;
        for (size_t i = best + 1; i < count; ++i) {
            symbols[i] = symbols[i + 1];
            ranks[i] = ranks[i + 1];
            merged[i] = merged[i + 1];
        }
        if (best > 0) look(best - 1);
        if (best + 1 < count) look(best);
    }
    symbols.resize(count);
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
