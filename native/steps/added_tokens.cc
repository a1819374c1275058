#include "steps/added_tokens.h"

#include <algorithm>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "text/utf8.h"
#include "unicode/classes.h"

namespace headway {

namespace {

constexpr size_t kPrefixBits = size_t(1) << 17;
constexpr size_t kFewFirstBytes = 3;  // up to which memchr is faster than a look at every place

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

char32_t code_at(std::string_view text, size_t at) { return next_code_point(bytes_of(text), at); }

// Where the character before `at` begins.
size_t before(std::string_view text, size_t at) {
    do --at;
    while (is_continuation(static_cast<unsigned char>(text[at])));
    return at;
}

bool stands_alone(std::string_view text, size_t start, size_t end) {
    if (start > 0 && is_word_character(code_at(text, before(text, start)))) return false;
    return end >= text.size() || !is_word_character(code_at(text, end));
}

size_t without_space_before(std::string_view text, size_t from, size_t start) {
    while (start > from) {
        const size_t place = before(text, start);
        if (!is_space(code_at(text, place))) break;
        start = place;
    }
    return start;
}

size_t with_space_behind(std::string_view text, size_t end) {
    while (end < text.size()) {
        size_t next = end;
        if (!is_space(next_code_point(bytes_of(text), next))) break;
        end = next;
    }
    return end;
}

}  // namespace

TokenFinder::TokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
    std::vector<std::pair<std::string, uint32_t>> entries;
    size_t shortest = 4;
    for (uint32_t i = 0; i < tokens_.size(); ++i) {
        entries.emplace_back(tokens_[i].form, i);
        shortest = std::min(shortest, tokens_[i].form.size());
    }
    trie_ = Trie(std::move(entries));
    prefix_mask_ = shortest == 4 ? ~0u : (1u << 8 * shortest) - 1;
    prefixes_.assign(kPrefixBits / 64, 0);
    std::array<bool, 256> is_first{};
    for (const AddedToken& token : tokens_) {
        uint32_t first = 0;
        std::memcpy(&first, token.form.data(), std::min<size_t>(4, token.form.size()));
        const uint32_t hash = ((first & prefix_mask_) * 0x9E3779B1u) >> 15;
        prefixes_[hash >> 6] |= uint64_t(1) << (hash & 63);
        is_first[static_cast<unsigned char>(token.form[0])] = true;
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (is_first[byte]) first_bytes_.push_back(static_cast<unsigned char>(byte));
    }
}

bool TokenFinder::next(std::string_view text, size_t place, size_t from, Match& match,
                       const std::array<unsigned char, 256>* alias) const {
    if (tokens_.empty()) return false;
    const auto* bytes = bytes_of(text);
    const bool few = !alias && first_bytes_.size() <= kFewFirstBytes;
    const bool found =
        alias ? next_with(text, from, few, match, [&](size_t at) { return (*alias)[bytes[at]]; })
              : next_with(text, from, few, match, [&](size_t at) { return bytes[at]; });
    if (!found) return false;
    const AddedToken& token = tokens_[match.token];
    match.matched = match.end;
    if (token.lstrip) match.start = without_space_before(text, place, match.start);
    if (token.rstrip) match.end = with_space_behind(text, match.end);
    return true;
}

// Where the first byte of a token stands, at `from` or behind it.
size_t TokenFinder::next_candidate(std::string_view text, size_t from) const {
    size_t at = from;
#ifdef __SSE2__
    __m128i wanted[kFewFirstBytes];
    for (size_t i = 0; i < kFewFirstBytes; ++i) {
        wanted[i] = _mm_set1_epi8(char(first_bytes_[i < first_bytes_.size() ? i : 0]));
    }
    for (; at + 16 <= text.size(); at += 16) {
        const auto block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        __m128i seen = _mm_cmpeq_epi8(block, wanted[0]);
        for (size_t i = 1; i < kFewFirstBytes; ++i) {
            seen = _mm_or_si128(seen, _mm_cmpeq_epi8(block, wanted[i]));
        }
        const int places = _mm_movemask_epi8(seen);
        if (places) return at + size_t(__builtin_ctz(unsigned(places)));
    }
#endif
    const auto is_first = [&](char byte) {
        return std::find(first_bytes_.begin(), first_bytes_.end(),
                         static_cast<unsigned char>(byte)) != first_bytes_.end();
    };
    while (at < text.size() && !is_first(text[at])) ++at;
    return at;
}

// The longest token that begins at a place.
template <class Byte>
bool TokenFinder::longest(std::string_view text, size_t start, Match& match,
                          const Byte& byte) const {
    uint32_t node = trie_.root();
    bool found = false;
    for (size_t at = start; at < text.size() && trie_.step(node, byte(at));) {
        ++at;
        if (trie_.value(node) != Trie::kNone) {
            match = {start, at, at, trie_.value(node)};
            found = true;
        }
    }
    return found;
}

template <class Byte>
bool TokenFinder::next_with(std::string_view text, size_t from, bool few, Match& match,
                            const Byte& byte) const {
    for (size_t start = from; start < text.size();) {
        if (few) {
            start = next_candidate(text, start);
            if (start == text.size()) return false;
        } else {
            uint32_t first = 0;
            for (size_t i = 0; i < 4 && start + i < text.size(); ++i) {
                first |= uint32_t(byte(start + i)) << 8 * i;
            }
            if (!may_begin(first)) {
                ++start;
                continue;
            }
        }
        if (!longest(text, start, match, byte)) {
            ++start;
        } else if (tokens_[match.token].single_word &&
                   !stands_alone(text, match.start, match.end)) {
            start = match.end;  // what has matched is not looked at again
        } else {
            return true;
        }
    }
    return false;
}

}  // namespace headway
