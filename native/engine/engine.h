// The pipeline from text to tokens:
//
//   text -> added tokens are cut out -> normalizer -> pre-tokenizer -> model -> offsets trimmed
//
// An engine does not change once it is built; any number of threads may encode with it, each with a
// worker of its own. The readable twin is src/headway/tokenizer/reference.py.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fast_path.h"
#include "engine/tokens.h"
#include "engine/trim.h"
#include "engine/worker.h"
#include "models/model.h"
#include "steps/added_tokens.h"
#include "steps/steps.h"

namespace headway {

// What an engine is made of; each but the model may be null or empty.
struct Steps {
    std::vector<AddedToken> raw;         // looked for in the text as given
    std::vector<AddedToken> normalized;  // looked for in the normalized text
    NormalizerPtr normalizer;
    PreTokenizerPtr pretokenizer;
    ModelPtr model;
    FastPathPtr fast;
    std::vector<TrimSpaces> trims;
};

// Why a text could not be encoded.
struct Failure {
    enum Kind { kNone, kNotUtf8, kUnknownText, kTooLong } kind = kNone;
    size_t place = 0;   // the byte that is not UTF-8, or the size of the text
    std::string text;   // the part without token

    explicit operator bool() const { return kind != kNone; }
};

class Engine {
   public:
    explicit Engine(Steps steps);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Appends the tokens of one text.
    Failure encode(std::string_view text, Worker& worker, Tokens& out) const;

    // A worker with what it has learnt so far; `give_back` it for the next one. Neither ever waits.
    std::unique_ptr<Worker> take_worker() const;
    void give_back(std::unique_ptr<Worker> worker) const;

   private:
    bool encode_part(const Part& part, Worker& worker, Tokens& out) const;
    bool encode_fast(const Part& part, Worker& worker, Tokens& out) const;
    bool encode_between(const Part& part, const std::vector<Region>& regions, Worker& worker,
                        Tokens& out) const;
    template <class SpanOf, class EncodeRest>
    bool cut_out(const TokenFinder& finder, const Part& part, bool exchange, Worker& worker,
                 Tokens& out, const SpanOf& span_of, const EncodeRest& encode_rest) const;
    bool encode_slowly(const Part& part, Worker& worker, Tokens& out) const;
    bool encode_normalized(const AlignedText& text, Worker& worker, Tokens& out) const;
    bool encode_pieces(const AlignedText& text, Worker& worker, Tokens& out) const;
    bool encode_piece(const AlignedText& piece, Worker& worker, Tokens& out) const;
    void add_token(uint32_t id, std::string_view shown, Span span, Worker& worker,
                   Tokens& out) const;

    Steps steps_;
    TokenFinder raw_, normalized_;
    static constexpr size_t kSpareWorkers = 64;
    mutable std::atomic<Worker*> spare_[kSpareWorkers] = {};
};

}  // namespace headway
