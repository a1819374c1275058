// Byte-pair encoding: the two neighbours whose merge was learnt first are joined, again and again.
//
// Source: Sennrich et al. 2016, arXiv 1508.07909. The options are those of tokenizer.json files; the
// readable twin is src/headway/tokenizer/bpe.py.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/model.h"
#include "models/string_table.h"

namespace headway {

struct Merge {
    uint32_t left, right, merged;
};

using Vocabulary = std::vector<std::pair<std::string, uint32_t>>;

struct BpeOptions {
    std::string unknown;          // stands for a character without token, where has_unknown
    bool has_unknown = false;     // without it such a character gives no token
    bool fuse_unknown = false;    // neighbouring unknown characters give one token
    bool byte_fallback = false;   // such a character is written as <0xC3>, one a byte, if all exist
    bool ignore_merges = false;   // a piece that is in the vocabulary is a token
    std::string prefix, suffix;   // of tokens inside a word, of the last token of a word
};

// Merges by pair; the rank of a merge is its place in the order in which they were learnt. Most pairs
// have none, which a table of bits says at a fraction of the memory.
class MergeTable {
   public:
    static constexpr uint32_t kNoRank = UINT32_MAX;
    struct Found {
        uint32_t rank = kNoRank, merged = 0;
    };

    explicit MergeTable(const std::vector<Merge>& merges);

    Found find(uint32_t left, uint32_t right) const {
        const uint64_t key = key_of(left, right), hash = hash_of(key);
        const size_t bit = hash >> (shift_ - kBitsASlot);
        if (!(bits_[bit >> 6] >> (bit & 63) & 1)) return {};
        for (size_t at = hash >> shift_;; at = (at + 1) & mask_) {
            if (slots_[at].key == key) return slots_[at].found;
            if (slots_[at].key == kEmpty) return {};
        }
    }

   private:
    static constexpr uint64_t kEmpty = UINT64_MAX;
    static constexpr int kBitsASlot = 3;  // its logarithm
    struct Slot {
        uint64_t key = kEmpty;
        Found found;
    };

    static uint64_t key_of(uint32_t left, uint32_t right) { return uint64_t(left) << 32 | right; }
    static uint64_t hash_of(uint64_t key) { return key * 0x9E3779B97F4A7C15u; }

    std::vector<Slot> slots_;
    std::vector<uint64_t> bits_;
    size_t mask_ = 0;
    int shift_ = 0;
};

// A token in the making.
struct Symbol {
    uint32_t id;
    uint32_t start, end;  // bytes of the piece
};

class Bpe : public Model {
   public:
    Bpe(const Vocabulary& vocabulary, const std::vector<Merge>& merges, BpeOptions options);

    bool tokenize(std::string_view piece, std::vector<Piece>& out) const override;

    // For byte-level vocabularies: the tokens of a piece that is given as the bytes themselves
    // rather than in the alphabet of bytes. Needs `has_all_bytes`.
    void tokenize_bytes(std::string_view piece, std::vector<Piece>& out) const;
    bool has_all_bytes() const { return has_all_bytes_; }

   private:
    uint32_t id_of(char32_t code, std::string_view written, bool first, bool last) const;
    bool symbols_of(std::string_view piece, std::vector<Symbol>& symbols) const;
    void learn_bytes(const Vocabulary& vocabulary);
    void merge(std::vector<Symbol>& symbols) const;
    // Symbols up to which looking at every pair beats a queue; and a word of so many: where symbols
    // end, and the rank and the result of the merge of each with the next one.
    static constexpr size_t kShort = 96;
    struct ShortWord {
        uint32_t ids[kShort], ends[kShort], ranks[kShort], merged[kShort];
    };

    size_t merge_short(ShortWord& word, size_t count) const;
    void tokenize_long_bytes(std::string_view piece, std::vector<Piece>& out) const;
    void merge_long(std::vector<Symbol>& symbols) const;

    StringTable vocabulary_, as_bytes_;
    MergeTable merges_;
    BpeOptions options_;
    uint32_t unknown_ = StringTable::kNone;
    std::array<uint32_t, 256> byte_tokens_{};  // of <0x00> to <0xFF>, or kNone
    std::array<uint32_t, 256> byte_ids_{};     // of the bytes as the alphabet writes them
    std::array<uint32_t, 128> plain_{};        // of ASCII characters without prefix and suffix
    std::vector<MergeTable::Found> byte_pairs_;  // of two bytes, without looking them up
    bool has_all_bytes_ = false;
};

}  // namespace headway
