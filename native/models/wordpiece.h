// WordPiece: from left to right, each time the longest token that fits. And whole words only.
//
// Sources: Wu et al. 2016, arXiv 1609.08144, section 4.1; BERT's tokenization.py (Devlin et al. 2018).
// The readable twin is src/headway/tokenizer/wordpiece.py.
#pragma once

#include <string>

#include "models/bpe.h"
#include "models/model.h"
#include "models/string_table.h"
#include "models/trie.h"

namespace headway {

class WordPiece : public Model {
   public:
    // A word with more than `longest_word` characters is unknown as a whole.
    WordPiece(const Vocabulary& vocabulary, const std::string& unknown, const std::string& prefix,
              uint64_t longest_word);

    bool tokenize(std::string_view piece, std::vector<Piece>& out) const override;

   private:
    bool unknown_word(std::string_view piece, std::vector<Piece>& out, size_t kept) const;

    Trie trie_;
    uint32_t inside_;   // node behind the prefix, or kNone
    uint32_t unknown_;  // kNone where the vocabulary lacks it
    uint64_t longest_word_;
};

class WordLevel : public Model {
   public:
    WordLevel(const Vocabulary& vocabulary, const std::string& unknown);

    bool tokenize(std::string_view piece, std::vector<Piece>& out) const override;

   private:
    StringTable vocabulary_;
    uint32_t unknown_;
};

}  // namespace headway
