#include "training/word_table.h"

#include <algorithm>

#include "text/utf8.h"

namespace headway {

void WordTable::add(std::string_view word, uint64_t count) {
    if (word.empty()) return;
    if (word.size() > WordCache::kShort) return add_long(word, count);
    const auto* bytes = reinterpret_cast<const unsigned char*>(word.data());
    const WordKey key = WordCache::short_key_at_end(bytes, word.size());
    add_short(key, key.hash(), count);
}

void WordTable::add_all(std::string_view text, const ByteSpan* words, size_t size) {
    constexpr size_t kAtOnce = 32;
    struct Found {
        WordKey key;
        uint64_t hash;
        bool is_short;
    } found[kAtOnce];
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    for (size_t first = 0; first < size; first += kAtOnce) {
        const size_t some = std::min(kAtOnce, size - first);
        for (size_t i = 0; i < some; ++i) {
            const auto [start, end] = words[first + i];
            Found& one = found[i];
            one.is_short = end - start <= WordCache::kShort;
            if (!one.is_short) continue;
            one.key = start + 16 <= text.size()
                          ? WordCache::short_key(bytes + start, end - start)
                          : WordCache::short_key_at_end(bytes + start, end - start);
            one.hash = one.key.hash();
            __builtin_prefetch(&slots_[place(one.hash)]);
        }
        for (size_t i = 0; i < some; ++i) {
            const auto [start, end] = words[first + i];
            if (found[i].is_short) {
                add_short(found[i].key, found[i].hash, 1);
            } else {
                add_long(text.substr(start, end - start), 1);
            }
        }
    }
}

void WordTable::clear() {
    PagedVector<Slot>(kFirstSlots).swap(slots_);
    std::string().swap(arena_);
    taken_ = 0;
}

std::string_view WordTable::far_word(const WordKey& key) const {
    const size_t at = key.high & 0xFFFFFFFFFFFFFF;
    uint32_t size;
    std::memcpy(&size, &arena_[at], sizeof size);
    return {&arena_[at + sizeof size], size};
}

void WordTable::add_short(const WordKey& key, uint64_t hash, uint64_t count) {
    size_t at = place(hash);
    while (slots_[at].count && !(slots_[at].key == key)) at = (at + 1) & (slots_.size() - 1);
    if (!slots_[at].count) {
        slots_[at].key = key;
        ++taken_;
    }
    slots_[at].count += count;
    if (10 * taken_ > 6 * slots_.size()) grow();
}

void WordTable::add_long(std::string_view word, uint64_t count) {
    if (word.size() > kLongest) {
        ++cut_;
        while (word.size() > kLongest) {
            size_t size = kLongest;
            // Between characters, unless these bytes are no text.
            for (size_t back = 0; back < 3 && is_continuation(static_cast<unsigned char>(word[size]));
                 ++back) {
                --size;
            }
            add_long(word.substr(0, size), count);
            word.remove_prefix(size);
        }
        return add(word, count);
    }
    const uint64_t hash = hash_bytes(word);
    size_t at = place(hash);
    const auto is_here = [&](const WordKey& key) {
        return key.low == hash && key.high >> 56 == kFar && far_word(key) == word;
    };
    while (slots_[at].count && !is_here(slots_[at].key)) at = (at + 1) & (slots_.size() - 1);
    if (!slots_[at].count) {
        slots_[at].key = {hash, kFar << 56 | arena_.size()};
        const auto size = uint32_t(word.size());
        arena_.append(reinterpret_cast<const char*>(&size), sizeof size).append(word);
        ++taken_;
    }
    slots_[at].count += count;
    if (10 * taken_ > 6 * slots_.size()) grow();
}

void WordTable::grow() {
    PagedVector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
        if (!slot.count) continue;
        size_t at = place(hash_of(slot.key));
        while (slots_[at].count) at = (at + 1) & (slots_.size() - 1);
        slots_[at] = slot;
    }
}

}  // namespace headway
