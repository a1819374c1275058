#include "engine/word_cache.h"

#include <algorithm>
#include <new>

#include "engine/memory.h"

namespace headway {

namespace {

constexpr size_t kFirstSlots = 1 << 12;
constexpr size_t kMostArena = 1 << 23;  // numbers: 32 MB

}  // namespace

WordCache::WordCache(size_t most_slots)
    : slots_(new_slots(kFirstSlots)),
      count_(kFirstSlots),
      mask_(kFirstSlots - 2),
      most_slots_(most_slots) {}

// Free slots; two neighbours lie in one cache line, and many of them in one page.
WordCache::Slots WordCache::new_slots(size_t count) {
    const size_t size = count * sizeof(Slot);
    void* memory = std::aligned_alloc(std::min(kLargePage, size), size);
    if (!memory) throw std::bad_alloc();
    prefer_large_pages(memory, size);
    std::memset(memory, 0, size);  // which is what free slots are
    return Slots(static_cast<Slot*>(memory));
}

WordCache::Slot& WordCache::free_slot(uint64_t hash) {
    if (10 * taken_ > 6 * count_ && count_ < most_slots_) grow();
    for (const size_t pair : {place(hash), other_place(hash)}) {
        for (const size_t at : {pair, pair + 1}) {
            if (slots_[at].count == 0) {
                ++taken_;
                return slots_[at];
            }
        }
    }
    return slots_[place(hash) + (hash >> 63)];
}

const WordCache::Slot* WordCache::add(const WordKey& key, uint64_t hash,
                                      const std::vector<Piece>& pieces, uint8_t sureness) {
    const size_t count = pieces.size();
    Slot slot;
    slot.key = key;
    slot.sureness = sureness;
    if (count >= 1 && count <= 3) {
        slot.count = uint8_t(count);
        for (size_t i = 0; i < count; ++i) slot.ids[i] = pieces[i].id;
        slot.end1 = uint8_t(pieces[0].end);
        slot.end2 = uint8_t(pieces[std::min<size_t>(1, count - 1)].end);
    } else {
        std::vector<uint32_t> values(2 * count);
        for (size_t i = 0; i < count; ++i) {
            values[i] = pieces[i].id;
            values[count + i] = pieces[i].end;
        }
        slot.count = kFar;
        slot.ids[0] = store(values.data(), values.size());
        slot.ids[1] = uint32_t(count);
    }
    Slot& place = free_slot(hash);
    place = slot;
    return &place;
}

const uint32_t* WordCache::find_far(std::string_view bytes, const WordKey& key, uint64_t hash,
                                    size_t& count) const {
    const Slot* slot = find(key, hash);
    if (!slot || slot->ids[2] != bytes.size()) return nullptr;
    const uint32_t* entry = &arena_[slot->ids[0]];
    if (std::memcmp(entry, bytes.data(), bytes.size()) != 0) return nullptr;
    count = slot->ids[1];
    return entry + (bytes.size() + 3) / 4;
}

void WordCache::keep(std::string_view bytes, const WordKey& key, uint64_t hash,
                     const uint32_t* values, size_t count) {
    std::vector<uint32_t> entry((bytes.size() + 3) / 4 + count);
    std::memcpy(entry.data(), bytes.data(), bytes.size());
    std::copy(values, values + count, entry.end() - count);
    Slot slot;
    slot.key = key;
    slot.count = kFar;
    slot.ids[0] = store(entry.data(), entry.size());
    slot.ids[1] = uint32_t(count);
    slot.ids[2] = uint32_t(bytes.size());
    free_slot(hash) = slot;
}

uint32_t WordCache::store(const uint32_t* values, size_t count) {
    if (arena_.size() + count > kMostArena) {  // all is forgotten rather than some of it searched
        arena_.clear();
        std::fill_n(slots_.get(), count_, Slot{});
        taken_ = 0;
    }
    const auto start = uint32_t(arena_.size());
    arena_.insert(arena_.end(), values, values + count);
    return start;
}

void WordCache::grow() {
    Slots old = new_slots(2 * count_);
    old.swap(slots_);
    const size_t before = count_;
    count_ *= 2;
    mask_ = count_ - 2;
    taken_ = 0;
    for (size_t i = 0; i < before; ++i) {
        if (old[i].count) free_slot(old[i].key.hash()) = old[i];
    }
}

}  // namespace headway
