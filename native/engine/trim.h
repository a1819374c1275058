// Takes the spaces that byte-level tokens begin and end with out of their offsets.
//
// Source: https://github.com/huggingface/tokenizers (tokenizers/src/pre_tokenizers/byte_level.rs).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tokens.h"

namespace headway {

class TrimSpaces {
   public:
    // Tokens with their ids; where a space was put before the text, `prefix_space`.
    TrimSpaces(const std::vector<std::pair<std::string, uint32_t>>& vocabulary, bool prefix_space);

    // Corrects the offsets of a text's tokens, from row `first` on. `surfaces` are those of its
    // tokens, by place behind `first`, that are shown as something else than the vocabulary says.
    void apply(Tokens& tokens, size_t first,
               const std::vector<std::pair<size_t, std::string>>& surfaces) const;

   private:
    // How many spaces a token begins and ends with.
    struct Spaces {
        uint32_t leading = 0, trailing = 0;
    };

    static Spaces spaces_of(std::string_view token);

    std::vector<Spaces> by_id_;
    bool prefix_space_;
};

}  // namespace headway
