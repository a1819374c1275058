// Words and how often each of them comes: what trainers learn from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headway {

class WordList {
   public:
    void add(std::string_view word, uint64_t count) {
        bytes_.append(word);
        ends_.push_back(bytes_.size());
        counts_.push_back(count);
    }
    void reserve(size_t words, size_t bytes) {
        bytes_.reserve(bytes);
        ends_.reserve(words);
        counts_.reserve(words);
    }

    size_t size() const { return counts_.size(); }
    size_t bytes() const { return bytes_.size(); }
    std::string_view word(size_t i) const {
        const size_t start = i ? ends_[i - 1] : 0;
        return std::string_view(bytes_).substr(start, ends_[i] - start);
    }
    uint64_t count(size_t i) const { return counts_[i]; }

    // The numbers of the words that come at least so often, the most frequent first; words that
    // come equally often stand in the order of their bytes.
    std::vector<size_t> most_frequent(uint64_t least_count) const;

   private:
    std::string bytes_;
    std::vector<uint64_t> ends_, counts_;
};

// Every character of UTF-8 words with how often it comes, by code point.
std::vector<std::pair<char32_t, uint64_t>> count_characters(const WordList& words);

}  // namespace headway
