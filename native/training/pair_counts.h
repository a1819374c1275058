// How often each pair of neighbouring tokens comes.
#pragma once

#include <cstdint>
#include <vector>

#include "text/hash.h"

namespace headway {

// Two token ids as one number, which is ordered as the pair is.
inline uint64_t pair_of(uint32_t left, uint32_t right) { return uint64_t(left) << 32 | right; }

class PairCounts {
   public:
    PairCounts() : slots_(size_t(1) << 12) {}

    int64_t get(uint64_t pair) const {
        const Slot& slot = slots_[place(pair)];
        return slot.pair == pair ? slot.count : 0;
    }

    // Adds to a pair's count and gives the new one.
    int64_t add(uint64_t pair, int64_t change) {
        Slot* slot = &slots_[place(pair)];
        if (slot->pair != pair) {
            if (10 * ++taken_ > 6 * slots_.size()) {
                grow();
                slot = &slots_[place(pair)];
            }
            slot->pair = pair;
        }
        return slot->count += change;
    }

    template <class Visit>
    void each(const Visit& visit) const {
        for (const Slot& slot : slots_) {
            if (slot.pair != kNoPair) visit(slot.pair, slot.count);
        }
    }

   private:
    static constexpr uint64_t kNoPair = UINT64_MAX;
    struct Slot {
        uint64_t pair = kNoPair;
        int64_t count = 0;
    };

    size_t place(uint64_t pair) const {
        size_t at = folded_product(pair ^ kHashA, kHashB) & (slots_.size() - 1);
        while (slots_[at].pair != pair && slots_[at].pair != kNoPair) {
            at = (at + 1) & (slots_.size() - 1);
        }
        return at;
    }

    // Pairs that have come to nothing are let go, and it only becomes larger if that was too few.
    void grow() {
        size_t left = 1;
        each([&](uint64_t, int64_t count) { left += count != 0; });
        std::vector<Slot> old((10 * left > 4 * slots_.size() ? 2 : 1) * slots_.size());
        old.swap(slots_);
        taken_ = left;
        for (const Slot& slot : old) {
            if (slot.pair != kNoPair && slot.count != 0) slots_[place(slot.pair)] = slot;
        }
    }

    std::vector<Slot> slots_;
    size_t taken_ = 0;
};

}  // namespace headway
