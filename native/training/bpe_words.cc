#include "training/bpe_words.h"

#include <algorithm>

#include "text/byte_alphabet.h"
#include "text/utf8.h"

namespace headway {

namespace {

constexpr uint32_t kNone = UINT32_MAX;

// Calls `visit` with each character of a word.
template <class Visit>
void each_character(std::string_view word, bool is_bytes, const Visit& visit) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(word.data());
    if (is_bytes) {
        for (size_t i = 0; i < word.size(); ++i) visit(char32_t(byte_alphabet()[bytes[i]]));
        return;
    }
    for (size_t at = 0; at < word.size();) visit(next_code_point(bytes, at));
}

std::string utf8(char32_t code) {
    std::string written;
    append_utf8(written, code);
    return written;
}

// The characters that become tokens, by code point.
std::vector<char32_t> alphabet_of(const WordList& words, const BpeTraining& options) {
    std::vector<uint64_t> counts(0x110000);
    for (size_t i = 0; i < words.size(); ++i) {
        each_character(words.word(i), options.is_bytes,
                       [&](char32_t code) { counts[code] += words.count(i); });
    }
    for (const char32_t code : options.alphabet) counts[code] = UINT64_MAX;
    std::vector<char32_t> kept;
    for (char32_t code = 0; code < counts.size(); ++code) {
        if (counts[code]) kept.push_back(code);
    }
    if (options.most_characters && *options.most_characters < kept.size()) {
        std::stable_sort(kept.begin(), kept.end(),
                         [&](char32_t a, char32_t b) { return counts[a] > counts[b]; });
        kept.resize(*options.most_characters);
        std::sort(kept.begin(), kept.end());
    }
    return kept;
}

}  // namespace

uint32_t TokenTable::add(const std::string& token, uint32_t length) {
    const auto [place, is_new] = ids_.try_emplace(token, uint32_t(tokens_.size()));
    if (is_new) {
        tokens_.push_back(token);
        lengths_.push_back(length);
    }
    lengths_[place->second] = length;
    return place->second;
}

BpeWords first_tokens(const WordList& words, const BpeTraining& options, TokenTable& tokens) {
    for (const std::string& token : options.special) tokens.add(token, 0);
    std::vector<uint32_t> first(0x110000, kNone), later(0x110000, kNone);
    for (const char32_t code : alphabet_of(words, options)) first[code] = tokens.add(utf8(code), 1);
    for (const std::string& token : options.special) {  // one of a single character serves as such
        const std::u32string codes = decode_utf8(token);
        if (codes.size() == 1) first[codes[0]] = tokens.add(token, 1);
    }
    BpeWords made;
    made.words.reserve(words.size());
    made.symbols.reserve(words.bytes());
    std::vector<bool> is_inside(0x110000);
    for (size_t i = 0; i < words.size(); ++i) {
        const size_t start = made.symbols.size();
        bool inside = false;
        each_character(words.word(i), options.is_bytes, [&](char32_t code) {
            if (first[code] != kNone) {
                made.symbols.push_back(inside ? code | 0x80000000 : code);
                if (inside) is_inside[code] = true;
            }
            inside = true;
        });
        const auto size = uint32_t(made.symbols.size() - start);
        if (size) made.words.push_back({start, size, words.count(i)});
    }
    for (char32_t code = 0; code < is_inside.size(); ++code) {
        if (is_inside[code]) later[code] = tokens.add(options.prefix + utf8(code), 1);
    }
    for (uint32_t& symbol : made.symbols) {
        symbol = symbol & 0x80000000 ? later[symbol & 0x7FFFFFFF] : first[symbol];
    }
    return made;
}

}  // namespace headway
