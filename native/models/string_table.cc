#include "models/string_table.h"

namespace headway {

void StringTable::set(std::string_view key, uint32_t value) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    const uint64_t hash = hash_bytes(key);
    size_t at = hash & mask_;
    for (; slots_[at].value != kNone; at = (at + 1) & mask_) {
        Slot& slot = slots_[at];
        if (slot.size == key.size() && slot.tag == uint32_t(hash >> 32) &&
            std::memcmp(bytes_.data() + slot.start, key.data(), key.size()) == 0) {
            slot.value = value;
            return;
        }
    }
    slots_[at] = {uint32_t(bytes_.size()), uint32_t(key.size()), uint32_t(hash >> 32), value};
    bytes_ += key;
    ++count_;
}

void StringTable::grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? 64 : 2 * old.size(), Slot{});
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
        if (slot.value == kNone) continue;
        size_t at = hash_bytes({bytes_.data() + slot.start, slot.size}) & mask_;
        while (slots_[at].value != kNone) at = (at + 1) & mask_;
        slots_[at] = slot;
    }
}

}  // namespace headway
