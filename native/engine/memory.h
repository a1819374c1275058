// Large pages for large tables: a look into one costs no walk through the page tables, and filling
// one costs few page faults.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace headway {

constexpr size_t kLargePage = size_t(1) << 21;

// Tells the system that this memory may lie in large pages; without effect where it cannot.
inline void prefer_large_pages(void* memory, size_t size) {
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

}  // namespace headway
