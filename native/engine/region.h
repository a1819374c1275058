// A stretch of text that a fast path cannot read by itself goes through the steps, and is
// remembered: names and foreign words come again.
#pragma once

#include <string_view>

#include "engine/tokens.h"
#include "engine/worker.h"
#include "models/model.h"
#include "steps/steps.h"

namespace headway {

class RegionEncoder {
   public:
    RegionEncoder(NormalizerPtr normalizer, PreTokenizerPtr pretokenizer, ModelPtr model)
        : normalizer_(std::move(normalizer)),
          pretokenizer_(std::move(pretokenizer)),
          model_(std::move(model)) {}

    // Appends the tokens of checked UTF-8 that begins at character `start`; false where a part of
    // it has none. The tokens must depend on nothing but the stretch itself.
    bool encode(std::string_view bytes, uint32_t start, Worker& worker, Tokens& out) const;

   private:
    bool run(std::string_view bytes, Worker& worker, std::vector<uint32_t>& values) const;

    NormalizerPtr normalizer_;
    PreTokenizerPtr pretokenizer_;
    ModelPtr model_;
};

}  // namespace headway
