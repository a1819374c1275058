// SentencePiece's own models: they cut a whole text at once, across words.
//
// They differ from unigram.h and bpe.h in what tokenizer.json files cannot say: scores of 32 bits,
// symbols defined by the user, pieces that are not to be used. The readable twin is
// src/headway/tokenizer/sentencepiece_models.py.
// Source: https://github.com/google/sentencepiece (src/unigram_model.cc, src/bpe_model.cc).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/model.h"
#include "models/trie.h"

namespace headway {

struct SpmPiece {
    enum Kind : uint8_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

    std::string text;
    float score;
    Kind kind;
};

// Pieces in the order of their ids, one of them unknown, and how unknown text is written.
class SpmVocabulary {
   public:
    SpmVocabulary(const std::vector<SpmPiece>& pieces, bool byte_fallback);

    uint32_t unknown() const { return unknown_; }

    // Appends tokens for a cut of `text`: unknown neighbours joined, or unknown text as bytes.
    void write(std::string_view text, const std::vector<Piece>& cut, std::vector<Piece>& out) const;

   private:
    uint32_t unknown_ = 0;
    bool byte_fallback_;
    std::array<uint32_t, 256> bytes_{};
};

class SpmUnigram : public Model {
   public:
    SpmUnigram(const std::vector<SpmPiece>& pieces, bool byte_fallback);

    bool tokenize(std::string_view text, std::vector<Piece>& out) const override;
    uint32_t shown_as_text() const override { return vocabulary_.unknown(); }

    // Whether a text falls apart into words that begin with the mark of a space, since no piece
    // reaches from one into the next.
    bool words_apart() const { return words_apart_; }

    // The tokens of one such word, when the words before it have come to `score`, which moves on.
    void tokenize_word(std::string_view word, float& score, std::vector<Piece>& out) const;

    // The tokens of a word whatever stands before it, and by how much they are better than any
    // other cut; that is 0 where part of the word is unknown.
    double tokenize_anywhere(std::string_view word, std::vector<Piece>& out) const;

    // Whether a cut that is better by `margin` stays the best one when it is added up in 32 bits
    // from `score` on; if so, `score` moves on over its tokens.
    bool add_up(const uint32_t* ids, size_t count, size_t word_size, double margin,
                float& score) const;

   private:
    struct Step {
        float score;
        uint32_t start, id;
    };

    void best_cut(std::string_view text, float first, std::vector<Step>& steps) const;
    void write_cut(std::string_view text, const std::vector<Step>& steps,
                   std::vector<Piece>& out) const;

    SpmVocabulary vocabulary_;
    Trie trie_;
    std::vector<float> scores_;
    float unknown_score_;
    bool words_apart_;
};

class SpmBpe : public Model {
   public:
    SpmBpe(const std::vector<SpmPiece>& pieces, bool byte_fallback);

    bool tokenize(std::string_view text, std::vector<Piece>& out) const override;
    uint32_t shown_as_text() const override { return vocabulary_.unknown(); }

   private:
    struct Symbols;

    uint32_t find(const Trie& trie, std::string_view text) const;
    void split_unused(std::string_view text, Piece piece, const std::vector<uint32_t>& halves,
                      std::vector<Piece>& cut) const;

    SpmVocabulary vocabulary_;
    Trie joins_, symbols_, all_;
    std::vector<float> scores_;
    std::vector<char> unused_;
    bool has_unused_ = false;
};

}  // namespace headway
