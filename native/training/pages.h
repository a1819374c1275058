// Vectors whose memory goes back to the system at once: what threads of a short life give back to
// malloc may stay with them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <vector>

namespace headway {

template <class T>
struct PageAllocator {
    using value_type = T;

    PageAllocator() = default;
    template <class Other>
    explicit PageAllocator(const PageAllocator<Other>&) {}

    T* allocate(size_t count) {
        void* pages = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED) throw std::bad_alloc();
        return static_cast<T*>(pages);
    }
    void deallocate(T* pages, size_t count) { munmap(pages, count * sizeof(T)); }

    bool operator==(const PageAllocator&) const = default;
};

template <class T>
using PagedVector = std::vector<T, PageAllocator<T>>;

}  // namespace headway
