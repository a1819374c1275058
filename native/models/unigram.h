// Unigram: the cut of a text whose tokens have the greatest probability together.
//
// Source: Kudo 2018, arXiv 1804.10959. The best cut is found by Viterbi's algorithm from left to
// right; an unknown character costs 10 more than the rarest token, and neighbouring unknown
// characters give one token. The readable twin is src/headway/tokenizer/unigram.py.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/model.h"
#include "models/trie.h"

namespace headway {

class Unigram : public Model {
   public:
    static constexpr double kUnknownPenalty = 10.0;

    // Tokens with their log-probabilities in the order of the ids; `unknown` is an id or kNone.
    Unigram(const std::vector<std::pair<std::string, double>>& scores, uint32_t unknown,
            bool byte_fallback);

    bool tokenize(std::string_view piece, std::vector<Piece>& out) const override;
    uint32_t shown_as_text() const override { return unknown_; }

   private:
    struct Step {
        double score;
        uint32_t start;  // of the last token of the best cut up to here; kNone = not reached
        uint32_t id;     // of that token; kNone = no token of the vocabulary
    };

    bool best_cut(std::string_view piece, std::vector<Step>& steps) const;
    void write(std::string_view piece, Piece token, bool known, std::vector<Piece>& out) const;

    Trie trie_;
    std::vector<double> scores_;
    double unknown_score_;
    uint32_t unknown_;
    bool byte_fallback_;
    std::array<uint32_t, 256> byte_tokens_{};
};

}  // namespace headway
