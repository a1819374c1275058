// From words to tokens: looks words up in the cache, several at a time so that memory is waited for
// once, asks the model for those that are new, and writes the columns.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/tokens.h"
#include "engine/worker.h"

namespace headway {

// A word in the text. Tokens end at places in `bytes`; the first one begins at `head_start`, and one
// that covers no byte ends at `head_end` (it stands for the space before the word).
struct Word {
    const unsigned char* bytes;
    uint32_t size;
    uint32_t start;  // characters before it in the text
    uint32_t head_start, head_end;
    bool plain;      // a character is a byte
};

// Where the tokens of a word may depend on the words before it: says whether those found for the
// word alone hold here, and which do otherwise. It is asked about each word in its order.
class WordJudge {
   public:
    virtual ~WordJudge() = default;
    virtual bool accept(const uint32_t* ids, size_t count, uint32_t size, uint8_t sureness) = 0;
    virtual void decide(std::string_view word, std::vector<Piece>& tokens) = 0;
};

class WordWriter {
   public:
    // Appends the tokens of a word; false where it has none and no stand-in.
    using Tokenize = bool (*)(const void* model, std::string_view word, Worker& worker);

    WordWriter(Worker& worker, Tokens& out, const void* model, Tokenize tokenize,
               WordJudge* judge = nullptr)
        : worker_(worker), out_(out), model_(model), tokenize_(tokenize), judge_(judge) {}

    // One more word, whose key is known; false where encoding failed.
    bool add(const Word& word, const WordKey& key) {
        if (out_.wanted.offsets) {
            // Field by field: a whole one would be read back before its parts have been stored.
            Word& waiting = words_[count_];
            waiting.bytes = word.bytes;
            waiting.size = word.size;
            waiting.start = word.start;
            waiting.head_start = word.head_start;
            waiting.head_end = word.head_end;
            waiting.plain = word.plain;
        }
        keys_[count_].low = key.low;
        keys_[count_].high = key.high;
        hashes_[count_] = key.hash();
        worker_.cache.prefetch(hashes_[count_]);
        return ++count_ < kBatch || flush();
    }

    // A word that is not short enough to be its own key; it is written behind the others at once.
    bool add_long(const Word& word) { return flush() && write_long(word); }

    // Writes the words that wait.
    bool flush();

   private:
    static constexpr size_t kBatch = 32;

    template <bool kOffsets>
    bool write_all();
    template <bool kOffsets>
    size_t write_known(size_t number);
    static void write_places(const Word& word, const WordCache::Slot& slot, uint32_t* starts,
                             uint32_t* ends);
    void write_many(const Word& word, const uint32_t* ids, const uint32_t* ends, size_t count);
    void write_words(size_t first);
    void write_decided(const Word& word, std::string_view bytes);
    bool holds(const WordCache::Slot& slot, uint32_t size);
    bool write_long(const Word& word);
    const WordCache::Slot* look_up(size_t number);
    bool ask(std::string_view word);

    Worker& worker_;
    Tokens& out_;
    const void* model_;
    Tokenize tokenize_;
    WordJudge* judge_;
    size_t count_ = 0;
    Word words_[kBatch];
    WordKey keys_[kBatch];
    uint64_t hashes_[kBatch];
};

}  // namespace headway
