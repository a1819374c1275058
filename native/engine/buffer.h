// A column that grows without being filled with zeros first.
#pragma once

#include <cstddef>
#include <cstring>
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
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Buffer() {
        if (data_) give_block(data_, bytes_);
    }

    T* data() { return data_; }
    const T* data() const { return data_; }
    size_t size() const { return size_; }
    T& operator[](size_t i) { return data_[i]; }
    const T& operator[](size_t i) const { return data_[i]; }

    // Room for `more` further values, which may then be written behind end().
    void reserve_more(size_t more) {
        if (!has_room(more)) grow(size_ + more);
    }
    bool has_room(size_t more) const { return bytes_ >= (size_ + more) * sizeof(T); }
    T* end() { return data_ + size_; }
    void advance(size_t count) { size_ += count; }
    void clear() { size_ = 0; }

    void push(T value) {
        reserve_more(1);
        data_[size_++] = value;
    }

    // The block and its size, which the caller gives back with give_block.
    std::pair<void*, size_t> release() {
        size_ = 0;
        return {std::exchange(data_, nullptr), std::exchange(bytes_, 0)};
    }

   private:
    void grow(size_t least) {
        size_t bytes = sizeof(T) * least;
        if (bytes < bytes_ + bytes_ / 2) bytes = bytes_ + bytes_ / 2;
        if (bytes < 256) bytes = 256;
        auto* data = static_cast<T*>(take_block(bytes));
        if (data_) {
            std::memcpy(data, data_, size_ * sizeof(T));
            give_block(data_, bytes_);
        }
        data_ = data;
        bytes_ = bytes;
    }

    T* data_ = nullptr;
    size_t size_ = 0, bytes_ = 0;
};

}  // namespace headway
