// Strings to numbers: open addressing over one arena of bytes, built once and read by many threads.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "text/hash.h"

namespace headway {

class StringTable {
   public:
    static constexpr uint32_t kNone = UINT32_MAX;

    // Sets the number of a string; the last one given counts.
    void set(std::string_view key, uint32_t value);

    // The number of a string, or kNone.
    uint32_t find(std::string_view key) const {
        if (slots_.empty()) return kNone;
        const uint64_t hash = hash_bytes(key);
        for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.value == kNone) return kNone;
            if (slot.tag == uint32_t(hash >> 32) && slot.size == key.size() &&
                std::memcmp(bytes_.data() + slot.start, key.data(), key.size()) == 0) {
                return slot.value;
            }
        }
    }

    size_t size() const { return count_; }

   private:
    struct Slot {
        uint32_t start = 0, size = 0, tag = 0, value = kNone;
    };

    void grow();

    std::string bytes_;
    std::vector<Slot> slots_;
    size_t mask_ = 0, count_ = 0;
};

}  // namespace headway
