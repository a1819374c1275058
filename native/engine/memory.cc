#include "engine/memory.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace headway {

namespace {

constexpr size_t kSmallest = size_t(1) << 18;  // bytes of a block that is worth keeping
constexpr size_t kMostKept = size_t(1) << 27;  // bytes of all that are kept
constexpr size_t kSlots = 16;

// A kept block has its own size written into it.
std::array<std::atomic<void*>, kSlots> kept{};
std::atomic<size_t> kept_bytes = 0;

size_t& size_in(void* block) { return *static_cast<size_t*>(block); }

// Four sizes from a power of two to the next, so that a block also fits the next column, which is
// often a little larger. What is not written to costs no memory.
size_t rounded_up(size_t size) {
    const size_t step = std::bit_floor(size) / 4;
    return (size + step - 1) / step * step;
}

}  // namespace

void prefer_large_pages(void* memory, size_t size) {
#ifdef __linux__
    if (size < 2 * kLargePage) return;
    const auto start = (reinterpret_cast<uintptr_t>(memory) + kLargePage - 1) & ~(kLargePage - 1);
    const auto end = (reinterpret_cast<uintptr_t>(memory) + size) & ~(kLargePage - 1);
    if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)size;
#endif
}

void* take_block(size_t& size) {
    if (size >= kSmallest) {
        size = rounded_up(size);
        for (auto& slot : kept) {
            void* block = slot.exchange(nullptr);
            if (!block) continue;
            kept_bytes -= size_in(block);
            if (size_in(block) >= size) {
                size = size_in(block);
                return block;
            }
            give_block(block, size_in(block));
        }
    }
    void* block = std::malloc(size);
    if (!block) throw std::bad_alloc();
    prefer_large_pages(block, size);
    return block;
}

void give_block(void* block, size_t size) {
    if (size >= kSmallest && kept_bytes + size <= kMostKept) {
        size_in(block) = size;
        kept_bytes += size;
        for (auto& slot : kept) {
            void* none = nullptr;
            if (slot.compare_exchange_strong(none, block)) return;
        }
        kept_bytes -= size;
    }
    std::free(block);
}

}  // namespace headway
