#include "training/word_list.h"

#include <algorithm>

#include "text/utf8.h"

namespace headway {

std::vector<size_t> WordList::most_frequent(uint64_t least_count) const {
    std::vector<size_t> numbers;
    for (size_t i = 0; i < size(); ++i) {
        if (count(i) >= least_count) numbers.push_back(i);
    }
    std::sort(numbers.begin(), numbers.end(), [this](size_t a, size_t b) {
        return count(a) != count(b) ? count(a) > count(b) : word(a) < word(b);
    });
    return numbers;
}

std::vector<std::pair<char32_t, uint64_t>> count_characters(const WordList& words) {
    std::vector<uint64_t> counts(0x110000);
    for (size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words.word(i);
        const auto* bytes = reinterpret_cast<const unsigned char*>(word.data());
        for (size_t at = 0; at < word.size();) counts[next_code_point(bytes, at)] += words.count(i);
    }
    std::vector<std::pair<char32_t, uint64_t>> found;
    for (char32_t code = 0; code < counts.size(); ++code) {
        if (counts[code]) found.emplace_back(code, counts[code]);
    }
    return found;
}

}  // namespace headway
