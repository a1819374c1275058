// Counts of words, for one thread.
//
// A word of up to 15 bytes is its own key; a longer one is found by a hash and then compared.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/word_cache.h"
#include "training/pages.h"

namespace headway {

// Bytes start..end of a text.
struct ByteSpan {
    uint32_t start, end;
};

class WordTable {
   public:
    // Longer words are counted in parts of at most so many bytes.
    static constexpr size_t kLongest = 4096;

    WordTable() : slots_(kFirstSlots) {}

    void add(std::string_view word, uint64_t count = 1);
    // Words of one text, which are looked up side by side.
    void add_all(std::string_view text, const ByteSpan* words, size_t size);

    size_t size() const { return taken_; }
    size_t bytes() const { return slots_.size() * sizeof(Slot) + arena_.capacity(); }
    uint64_t cut() const { return cut_; }  // words that were too long

    // Calls `visit(word, count)` with every word of some slots.
    size_t slots() const { return slots_.size(); }
    template <class Visit>
    void each(size_t first, size_t end, const Visit& visit) const {
        for (size_t i = first; i < end; ++i) {
            const Slot& slot = slots_[i];
            if (slot.count) visit(word_of(slot), slot.count);
        }
    }
    template <class Visit>
    void each(const Visit& visit) const {
        each(0, slots_.size(), visit);
    }

    // Forgets all words, and gives their memory back.
    void clear();

   private:
    static constexpr size_t kFirstSlots = 1 << 12;
    static constexpr uint64_t kFar = 0xF0;  // in the key's last byte: the word lies in the arena

    struct Slot {
        WordKey key;
        uint64_t count = 0;  // 0 = free
    };

    // The bytes of a key lie in memory as those of the word do.
    std::string_view word_of(const Slot& slot) const {
        const uint64_t last = slot.key.high >> 56;
        if (last != kFar) return {reinterpret_cast<const char*>(&slot.key), size_t(last)};
        return far_word(slot.key);
    }
    std::string_view far_word(const WordKey& key) const;

    void add_short(const WordKey& key, uint64_t hash, uint64_t count);
    void add_long(std::string_view word, uint64_t count);
    void grow();
    size_t place(uint64_t hash) const { return hash & (slots_.size() - 1); }
    static uint64_t hash_of(const WordKey& key) {
        return key.high >> 56 == kFar ? key.low : key.hash();
    }

    PagedVector<Slot> slots_;
    std::string arena_;  // long words, each behind its length
    size_t taken_ = 0;
    uint64_t cut_ = 0;
};

}  // namespace headway
