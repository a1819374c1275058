// A column that grows without being filled with zeros first.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

#include "engine/memory.h"

namespace headway {

template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T>);

   public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { *this = std::move(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~Buffer() { std::free(data_); }

    T* data() { return data_; }
    const T* data() const { return data_; }
    size_t size() const { return size_; }
    T& operator[](size_t i) { return data_[i]; }
    const T& operator[](size_t i) const { return data_[i]; }

    // Room for `more` further values, which may then be written behind end().
    void reserve_more(size_t more) {
        if (capacity_ - size_ < more) grow(size_ + more);
    }
    T* end() { return data_ + size_; }
    void advance(size_t count) { size_ += count; }

    void push(T value) {
        reserve_more(1);
        data_[size_++] = value;
    }
    void shrink_to(size_t size) { size_ = size; }

    void give_back_room() {
        if (capacity_ == size_ || size_ == 0) return;
        if (void* data = std::realloc(data_, size_ * sizeof(T))) {
            data_ = static_cast<T*>(data);
            capacity_ = size_;
        }
    }

    // The memory, which the caller frees with std::free.
    T* release() {
        T* data = std::exchange(data_, nullptr);
        size_ = capacity_ = 0;
        return data;
    }

   private:
    void grow(size_t least) {
        size_t capacity = capacity_ ? capacity_ + capacity_ / 2 : 64;
        if (capacity < least) capacity = least;
        void* data = std::realloc(data_, capacity * sizeof(T));
        if (!data) throw std::bad_alloc();
        prefer_large_pages(data, capacity * sizeof(T));
        data_ = static_cast<T*>(data);
        capacity_ = capacity;
    }

    T* data_ = nullptr;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace headway
