// Strings to numbers: open addressing over one arena of bytes, built once and read by many threads.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace headway {

// A hash of a few bytes; good enough for tables, not for secrets.
inline uint64_t hash_bytes(std::string_view bytes) {
    constexpr uint64_t kA = 0x9E3779B97F4A7C15u, kB = 0xE7037ED1A0B428DBu;
    const char* at = bytes.data();
    size_t left = bytes.size();
    uint64_t state = kA ^ left;
    const auto mix = [&state](uint64_t a, uint64_t b) {
        const auto product = static_cast<unsigned __int128>(a ^ state) * (b ^ kB);
        state = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    };
    uint64_t a = 0, b = 0;
    for (; left > 16; left -= 16, at += 16) {
        std::memcpy(&a, at, 8);
        std::memcpy(&b, at + 8, 8);
        mix(a, b);
    }
    a = b = 0;
    if (left >= 8) {
        std::memcpy(&a, at, 8);
        std::memcpy(&b, at + left - 8, 8);
    } else if (left) {
        std::memcpy(&a, at, left);
    }
    mix(a, b);
    return state;
}

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
