// The tokens of words met before: one look into one cache line a word.
//
// A word of up to 15 bytes is its own key; a longer one, or a whole stretch of text, is found by a
// hash and then compared byte by byte. Memory is bounded: where a new word finds no free place, an
// old one makes room. Each worker has a cache of its own, so none of this is locked.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "models/model.h"
#include "text/hash.h"

namespace headway {

struct WordKey {
    uint64_t low = 0, high = 0;  // the bytes, and in the last one the length

    bool operator==(const WordKey& other) const { return difference(other) == 0; }
    uint64_t difference(const WordKey& other) const {
        return (low ^ other.low) | (high ^ other.high);
    }

    uint64_t hash() const {
        return folded_product(low ^ kHashA, high ^ kHashB);
    }
};

class WordCache {
   public:
    static constexpr size_t kShort = 15;  // bytes of a word that is its own key
    static constexpr uint8_t kFar = 255;  // count of a slot whose tokens lie in the arena

    struct alignas(32) Slot {
        WordKey key;
        uint32_t ids[3] = {0, 0, 0};
        uint8_t count = 0;            // 0 = free
        uint8_t end1 = 0, end2 = 0;   // where the first and the second token end in the word
        uint8_t sureness = 0;         // how sure its tokens are, where that depends on the text
    };

    explicit WordCache(size_t most_slots = size_t(1) << 20);

    // The key of a word of 1 to 15 bytes; 16 bytes from `word` on must be readable.
    static WordKey short_key(const unsigned char* word, size_t size) {
        WordKey key;
        std::memcpy(&key.low, word, 8);
        std::memcpy(&key.high, word + 8, 8);
        const WordKey& kept = kKept[size];
        key.low &= kept.low;
        key.high = (key.high & kept.high) | uint64_t(size) << 56;
        return key;
    }

    // The same where nothing behind the word may be read.
    static WordKey short_key_at_end(const unsigned char* word, size_t size) {
        unsigned char padded[16] = {};
        std::memcpy(padded, word, size);
        return short_key(padded, size);
    }

    // The same for a word that begins at `start` of a text.
    static WordKey short_key_in(const unsigned char* text, size_t text_size, size_t start,
                                size_t size) {
        return start + 16 <= text_size ? short_key(text + start, size)
                                       : short_key_at_end(text + start, size);
    }

    // The key of anything longer; `kind` keeps words and other stretches apart.
    static WordKey long_key(std::string_view bytes, uint8_t kind = 0) {
        const uint64_t first = hash_bytes(bytes);
        const uint64_t second = (first ^ bytes.size()) * 0xD6E8FEB86659FD93u;
        return {first, (second >> 8) | uint64_t(0xF0 | kind) << 56};
    }

    void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[place(hash)]); }

    // The slot of a short word, or null.
    const Slot* find(const WordKey& key, uint64_t hash) const {
        // Which of the two it is cannot be foreseen, so that is no branch.
        const Slot* pair = &slots_[place(hash)];
        const uint64_t first = pair[0].key.difference(key), second = pair[1].key.difference(key);
        if (first && second) return pair[1].count ? find_elsewhere(key, hash) : nullptr;
        return pair + (first != 0);
    }

    // Remembers the tokens of a word; the slot stays valid until the next call.
    const Slot* add(const WordKey& key, uint64_t hash, const std::vector<Piece>& pieces,
                    uint8_t sureness);

    // Numbers kept for a longer stretch, or null: whatever `keep` was given for these bytes.
    const uint32_t* find_far(std::string_view bytes, const WordKey& key, uint64_t hash,
                             size_t& count) const;
    void keep(std::string_view bytes, const WordKey& key, uint64_t hash, const uint32_t* values,
              size_t count);

    // The tokens of a slot that has more than three: their ids, then where each ends.
    const uint32_t* far(const Slot& slot) const { return &arena_[slot.ids[0]]; }
    uint32_t far_count(const Slot& slot) const { return slot.ids[1]; }

   private:
    // The bytes of 16 that belong to a word of so many.
    static constexpr auto kKept = [] {
        std::array<WordKey, kShort + 1> kept{};
        for (size_t size = 0; size <= kShort; ++size) {
            kept[size].low = size < 8 ? (uint64_t(1) << 8 * size) - 1 : ~uint64_t(0);
            kept[size].high = size > 8 ? (uint64_t(1) << 8 * (size - 8)) - 1 : 0;
        }
        return kept;
    }();

    size_t place(uint64_t hash) const { return hash & mask_; }
    // A word that finds both slots of its place taken may lie in the neighbouring cache line, which
    // many processors fetch along.
    size_t other_place(uint64_t hash) const { return place(hash) ^ 2; }

    const Slot* find_elsewhere(const WordKey& key, uint64_t hash) const {
        const Slot* pair = &slots_[other_place(hash)];
        if (pair[0].key == key) return pair;
        if (pair[1].key == key) return pair + 1;
        return nullptr;
    }

    Slot& free_slot(uint64_t hash);
    void grow();
    uint32_t store(const uint32_t* values, size_t count);

    struct FreeSlots {
        void operator()(Slot* slots) const { std::free(slots); }
    };
    using Slots = std::unique_ptr<Slot[], FreeSlots>;

    static Slots new_slots(size_t count);

    Slots slots_;
    std::vector<uint32_t> arena_;
    size_t count_, mask_, most_slots_, taken_ = 0;
};

}  // namespace headway
