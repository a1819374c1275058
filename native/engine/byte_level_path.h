// Byte-level BPE without normalizer: words are cut from the bytes as they are and merged as they are.
#pragma once

#include <memory>

#include "engine/fast_path.h"
#include "models/bpe.h"
#include "steps/patterns.h"

namespace headway {

class ByteLevelPath : public FastPath {
   public:
    // The model needs `has_all_bytes`.
    ByteLevelPath(SplitterPtr splitter, std::shared_ptr<const Bpe> model, bool prefix_space)
        : splitter_(std::move(splitter)), model_(std::move(model)), prefix_space_(prefix_space) {}

    Outcome encode(const Part& part, Worker& worker, Tokens& out) const override;
    const ByteAlias* alias() const override { return nullptr; }
    bool find_regions(const Part&, std::vector<Region>&) const override { return true; }

   private:
    void encode_words(const Part& part, Worker& worker, Tokens& out) const;

    SplitterPtr splitter_;
    std::shared_ptr<const Bpe> model_;
    bool prefix_space_;
};

}  // namespace headway
