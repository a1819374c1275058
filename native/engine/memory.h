// Memory for columns: large pages where the system has them, and blocks that are used again.
//
// A column is written once and soon let go. Getting fresh pages for each would cost more than to
// write them, so a few large blocks are kept for the next column.
#pragma once

#include <cstddef>

namespace headway {

inline constexpr size_t kLargePage = size_t(1) << 21;

// Tells the system that this memory may lie in large pages; without effect where it cannot.
void prefer_large_pages(void* memory, size_t size);

// A block of at least `size` bytes, which becomes what there is room for. Throws std::bad_alloc.
void* take_block(size_t& size);

// Gives a block back; `size` is what `take_block` made of it.
void give_block(void* block, size_t size);

}  // namespace headway
