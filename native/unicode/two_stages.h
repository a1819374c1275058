// Tables from code points to small numbers, in two stages: which page, and the place in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace headway {

inline constexpr uint32_t kPageBits = 7;
inline constexpr uint32_t kPageSize = 1 << kPageBits;

// Code points behind the last page have the number 0.
template <class Page, size_t kPages, class Value, size_t kCells>
struct TwoStages {
    std::array<Page, kPages> index;
    std::array<Value, kCells> pages;

    constexpr Value operator[](char32_t code) const {
        const size_t page = code >> kPageBits;
        return page < kPages ? pages[size_t(index[page]) << kPageBits | (code & (kPageSize - 1))] : 0;
    }
};

template <class Page, size_t kPages, class Value, size_t kCells>
TwoStages(std::array<Page, kPages>, std::array<Value, kCells>)
    -> TwoStages<Page, kPages, Value, kCells>;

// Numbers as tables.inc writes them: -n stands for the number before it n times more.
template <class Value, size_t kSize>
constexpr std::array<Value, kSize> unrolled(std::initializer_list<int32_t> runs) {
    std::array<Value, kSize> values{};
    size_t at = 0;
    Value last = 0;
    for (const int32_t run : runs) {
        if (run >= 0) values[at++] = last = Value(run);
        for (int32_t i = run; i < 0; ++i) values[at++] = last;
    }
    return values;
}

}  // namespace headway
