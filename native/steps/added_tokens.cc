#include "steps/added_tokens.h"

#include <algorithm>
#include <bit>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "text/utf8.h"
#include "unicode/classes.h"

namespace headway {

namespace {

constexpr size_t kFewFirstBytes = 3;  // up to which looking for them is faster than a filter

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

// Where tokens may begin, by the filter, which sees the text as it counts.
class TokenFinder::Places {
   public:
    Places(const PrefixFilter& filter, std::string_view text, bool exchange)
        : filter_(filter), text_(text), exchange_(exchange) {}

    // The first such place at `from` or behind it; the text's size where there is none.
    size_t next(size_t from) {
        while (from < text_.size()) {
            if (from >= end_) look(from);
            const uint64_t left = found_ >> (from - (end_ - kBlock));
            if (left) return from + size_t(std::countr_zero(left));
            from = end_;
        }
        return text_.size();
    }

   private:
    static constexpr size_t kBlock = PrefixFilter::kPlaces;

    void look(size_t from) {
        const unsigned char* bytes = bytes_of(text_) + from;
        const size_t left = text_.size() - from;
        unsigned char copied[PrefixFilter::kSeen];
        if (left < sizeof copied) {
            std::fill(std::copy(bytes, bytes + left, copied), std::end(copied), 0);
            bytes = copied;
        }
        found_ = filter_.candidates(bytes, exchange_);
        if (left < kBlock) found_ &= (uint64_t(1) << left) - 1;
        end_ = from + kBlock;
    }

    const PrefixFilter& filter_;
    std::string_view text_;
    bool exchange_;
    uint64_t found_ = 0;
    size_t end_ = 0;  // of the block that was looked at
};

TokenFinder::TokenFinder(std::vector<AddedToken> tokens, const ByteAlias* alias)
    : tokens_(std::move(tokens)) {
    std::vector<std::pair<std::string, uint32_t>> entries;
    std::vector<std::string_view> forms;
    std::array<bool, 256> is_first{};
    for (uint32_t i = 0; i < tokens_.size(); ++i) {
        const std::string& form = tokens_[i].form;
        entries.emplace_back(form, i);
        forms.push_back(form);
        is_first[static_cast<unsigned char>(form[0])] = true;
    }
    trie_ = Trie(std::move(entries));
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (is_first[byte]) first_bytes_.push_back(static_cast<unsigned char>(byte));
    }
    filter_ = PrefixFilter(forms, alias);
    if (alias) alias_ = *alias;
    looks_around_ = std::any_of(tokens_.begin(), tokens_.end(), [](const AddedToken& token) {
        return token.single_word || token.lstrip || token.rstrip;
    });
}

bool TokenFinder::next(std::string_view text, size_t place, size_t from, Match& match,
                       bool exchange) const {
    if (tokens_.empty()) return false;
    const auto* bytes = bytes_of(text);
    const auto as_it_is = [&](size_t at) { return bytes[at]; };
    Places places(filter_, text, exchange);
    const auto by_filter = [&](size_t at) { return places.next(at); };
    const auto by_first_byte = [&](size_t at) { return next_first_byte(text, at); };
    const bool found =
        exchange
            ? next_with(text, from, match, by_filter, [&](size_t at) { return alias_[bytes[at]]; })
        : first_bytes_.size() <= kFewFirstBytes
            ? next_with(text, from, match, by_first_byte, as_it_is)
            : next_with(text, from, match, by_filter, as_it_is);
    if (!found) return false;
    const AddedToken& token = tokens_[match.token];
    match.matched = match.end;
    if (token.lstrip) {
        match.start = std::max(without_space_before(text, place, match.start), place);
    }
    if (token.rstrip) match.end = with_space_behind(text, match.end);
    return true;
}

// Where the first byte of a token stands, at `from` or behind it.
size_t TokenFinder::next_first_byte(std::string_view text, size_t from) const {
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

template <class NextPlace, class Byte>
bool TokenFinder::next_with(std::string_view text, size_t from, Match& match,
                            const NextPlace& next_place, const Byte& byte) const {
    for (size_t start = from; (start = next_place(start)) < text.size();) {
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
