// BERT's normalizer and pre-tokenizer with any model of words: ASCII is read 64 bytes at a time,
// and whatever is not ASCII goes through the steps.
#pragma once

#include <array>

#include "engine/fast_path.h"
#include "engine/region.h"

namespace headway {

class BertPath : public FastPath {
   public:
    // The options are those of BERT's normalizer; `steps` go on where ASCII ends.
    BertPath(bool clean_text, bool lowercase, RegionEncoder steps, ModelPtr model);

    Outcome encode(const Part& part, Worker& worker, Tokens& out) const override;
    const ByteAlias* alias() const override { return &alias_; }
    bool find_regions(const Part& part, std::vector<Region>& regions) const override;

   private:
    struct Run;
    struct Masks;

    Masks masks_at(const unsigned char* text, size_t size, size_t at) const;

    bool lowercase_, clean_text_;
    RegionEncoder steps_;
    ModelPtr model_;
    ByteAlias alias_{};
};

}  // namespace headway
