#include "training/bpe_trainer.h"

#include <algorithm>
#include <memory>

#include "training/bpe_words.h"
#include "training/pair_counts.h"

namespace headway {

namespace {

constexpr uint32_t kNoWord = UINT32_MAX;

// A pair that waits to be merged in some words.
struct Candidate {
    uint64_t count;
    uint64_t pair;
    const uint32_t* words;
    uint32_t size;

    bool operator<(const Candidate& other) const {  // the greatest is merged first
        return count != other.count ? count < other.count : pair > other.pair;
    }
};

// Lists of numbers that live as long as the training.
class Lists {
   public:
    uint32_t* take(size_t size) {
        if (size > left_) {
            left_ = std::max(size, kBlock);
            blocks_.push_back(std::make_unique_for_overwrite<uint32_t[]>(left_));
            next_ = blocks_.back().get();
        }
        uint32_t* list = next_;
        next_ += size;
        left_ -= size;
        return list;
    }

   private:
    static constexpr size_t kBlock = size_t(1) << 18;

    std::vector<std::unique_ptr<uint32_t[]>> blocks_;
    uint32_t* next_ = nullptr;
    size_t left_ = 0;
};

// The pairs that one merge makes and unmakes on one side of the merged token: each is known by the
// token on that side.
class Side {
   public:
    struct Neighbour {
        int64_t gained = 0, lost = 0;
        uint32_t words = 0, last_word = kNoWord;  // words with a gained pair
        uint32_t* list = nullptr;
        bool is_met = false;
    };

    void lose(uint32_t neighbour, uint64_t count) { meet(neighbour).lost += int64_t(count); }

    void gain(uint32_t neighbour, uint64_t count, uint32_t word) {
        Neighbour& found = meet(neighbour);
        found.gained += int64_t(count);
        if (found.last_word == word) return;
        found.last_word = word;
        ++found.words;
        gains_.emplace_back(neighbour, word);
    }

    void take_lists(Lists& lists) {
        for (const uint32_t id : met_) {
            if (neighbours_[id].words) neighbours_[id].list = lists.take(neighbours_[id].words);
            neighbours_[id].words = 0;
        }
        for (const auto& [id, word] : gains_) {
            Neighbour& found = neighbours_[id];
            found.list[found.words++] = word;
        }
    }

    template <class Visit>
    void each(const Visit& visit) const {
        for (const uint32_t id : met_) visit(id, neighbours_[id]);
    }

    void clear() {
        for (const uint32_t id : met_) neighbours_[id] = {};
        met_.clear();
        gains_.clear();
    }

   private:
    Neighbour& meet(uint32_t id) {
        if (id >= neighbours_.size()) neighbours_.resize(id + id / 2 + 256);
        Neighbour& found = neighbours_[id];
        if (!found.is_met) {
            found.is_met = true;
            met_.push_back(id);
        }
        return found;
    }

    std::vector<Neighbour> neighbours_;
    std::vector<uint32_t> met_;
    std::vector<std::pair<uint32_t, uint32_t>> gains_;
};

class Merger {
   public:
    Merger(const WordList& words, const BpeTraining& options)
        : options_(options), words_(first_tokens(words, options, tokens_)) {}

    TrainedBpe train(Watch& watch) {
        queue_first_pairs();
        const size_t before = tokens_.size();
        const size_t wanted = std::max(options_.size, before) - before;
        for (size_t round = 0; tokens_.size() < options_.size && !queue_.empty(); ++round) {
            if (round % 16 == 0) {
                const size_t done = tokens_.size() - before;
                if (!watch.go_on(Stage::kMerging, done, wanted)) return {};
            }
            if (!merge_next()) break;
        }
        return result();
    }

   private:
    void queue_first_pairs() {
        PairCounts places;  // how often each pair stands in a word
        each_pair([&](uint64_t pair, uint32_t word) {
            counts_.add(pair, int64_t(words_.words[word].count));
            places.add(pair, 1);
        });
        // Room for every place of a pair; a word with two of them takes one.
        struct Filled {
            uint32_t* list;
            uint32_t size = 0;
        };
        std::vector<Filled> filled;
        PairCounts numbers;
        places.each([&](uint64_t pair, int64_t count) {
            filled.push_back({lists_.take(size_t(count))});
            numbers.add(pair, int64_t(filled.size()));
        });
        each_pair([&](uint64_t pair, uint32_t word) {
            Filled& found = filled[size_t(numbers.get(pair)) - 1];
            if (found.size && found.list[found.size - 1] == word) return;
            found.list[found.size++] = word;
        });
        numbers.each([&](uint64_t pair, int64_t number) {
            const Filled& found = filled[size_t(number) - 1];
            queue_.push_back({uint64_t(counts_.get(pair)), pair, found.list, found.size});
        });
        std::make_heap(queue_.begin(), queue_.end());
    }

    template <class Visit>
    void each_pair(const Visit& visit) const {
        for (uint32_t number = 0; number < words_.words.size(); ++number) {
            const BpeWord& word = words_.words[number];
            const uint32_t* symbols = &words_.symbols[word.start];
            for (uint32_t i = 0; i + 1 < word.size; ++i) {
                visit(pair_of(symbols[i], symbols[i + 1]), number);
            }
        }
    }

    // Merges the pair that comes most often; false where none comes often enough.
    bool merge_next() {
        std::pop_heap(queue_.begin(), queue_.end());
        Candidate& top = queue_.back();
        const auto count = uint64_t(counts_.get(top.pair));
        if (top.count != count) {
            top.count = count;
            std::push_heap(queue_.begin(), queue_.end());
            return true;
        }
        if (count < 1 || count < options_.least_count) return false;
        const Candidate chosen = top;
        queue_.pop_back();
        const auto left = uint32_t(chosen.pair >> 32), right = uint32_t(chosen.pair);
        const uint32_t merged = token_of(left, right);
        merges_.push_back({left, right});
        for (uint32_t i = 0; i < chosen.size; ++i) {
            if (i + 8 < chosen.size) __builtin_prefetch(&words_.words[chosen.words[i + 8]]);
            if (i + 4 < chosen.size) {
                __builtin_prefetch(&words_.symbols[words_.words[chosen.words[i + 4]].start]);
            }
            merge_in(chosen.words[i], left, right, merged);
        }
        queue_new_pairs(left, right, merged);
        return true;
    }

    uint32_t token_of(uint32_t left, uint32_t right) {
        std::string token = tokens_.token(left);
        std::string_view rest = tokens_.token(right);
        if (rest.starts_with(options_.prefix)) rest.remove_prefix(options_.prefix.size());
        token.append(rest);
        return tokens_.add(token, tokens_.length(left) + tokens_.length(right));
    }

    bool fits(uint32_t left, uint32_t right) const {
        return tokens_.length(left) + tokens_.length(right) < options_.longest_token;
    }

    void merge_in(uint32_t number, uint32_t left, uint32_t right, uint32_t merged) {
        BpeWord& word = words_.words[number];
        uint32_t* symbols = &words_.symbols[word.start];
        const uint32_t size = word.size;
        uint32_t at = 0;
        while (at + 1 < size && !(symbols[at] == left && symbols[at + 1] == right)) ++at;
        if (at + 1 >= size) return;  // another merge has taken it
        uint32_t end = at;
        while (at < size) {
            if (symbols[at] != left || at + 1 >= size || symbols[at + 1] != right) {
                symbols[end++] = symbols[at++];
                continue;
            }
            if (end > 0) {
                const uint32_t before = symbols[end - 1];
                left_.lose(before, word.count);
                if (fits(before, merged)) left_.gain(before, word.count, number);
            }
            symbols[end++] = merged;
            at += 2;
            if (at < size) {
                const uint32_t behind = symbols[at];
                right_.lose(behind, word.count);
                // The merged token beside itself is one pair, from whichever side it is seen.
                Side& side = behind == merged ? left_ : right_;
                if (fits(merged, behind)) side.gain(behind, word.count, number);
            }
        }
        word.size = end;
    }

    void queue_new_pairs(uint32_t left, uint32_t right, uint32_t merged) {
        const auto queue = [this](uint64_t pair, const Side::Neighbour& found) {
            if (!found.list) return;
            const int64_t count = counts_.get(pair);
            if (count <= 0) return;
            queue_.push_back({uint64_t(count), pair, found.list, found.words});
            std::push_heap(queue_.begin(), queue_.end());
        };
        left_.take_lists(lists_);
        right_.take_lists(lists_);
        // All counts first: the pair of a merged token with itself can be lost on one side.
        left_.each([&](uint32_t id, const Side::Neighbour& found) {
            if (found.lost) counts_.add(pair_of(id, left), -found.lost);
            if (found.gained) counts_.add(pair_of(id, merged), found.gained);
        });
        right_.each([&](uint32_t id, const Side::Neighbour& found) {
            if (found.lost) counts_.add(pair_of(right, id), -found.lost);
            if (found.gained) counts_.add(pair_of(merged, id), found.gained);
        });
        left_.each([&](uint32_t id, const Side::Neighbour& found) {
            queue(pair_of(id, merged), found);
        });
        right_.each([&](uint32_t id, const Side::Neighbour& found) {
            queue(pair_of(merged, id), found);
        });
        left_.clear();
        right_.clear();
    }

    TrainedBpe result() {
        TrainedBpe trained;
        trained.is_done = true;
        // Of a pair that was merged twice the later place counts, as in a table of merges.
        PairCounts last;
        for (size_t i = 0; i < merges_.size(); ++i) {
            const uint64_t pair = pair_of(merges_[i].first, merges_[i].second);
            last.add(pair, int64_t(i + 1) - last.get(pair));
        }
        for (size_t i = 0; i < merges_.size(); ++i) {
            const auto& [left, right] = merges_[i];
            if (last.get(pair_of(left, right)) == int64_t(i + 1)) trained.merges.push_back(merges_[i]);
        }
        for (const BpeWord& word : words_.words) trained.pieces += uint64_t(word.size) * word.count;
        trained.tokens = tokens_.release();
        return trained;
    }

    const BpeTraining& options_;
    TokenTable tokens_;
    BpeWords words_;
    PairCounts counts_;
    Lists lists_;
    std::vector<Candidate> queue_;  // a heap
    Side left_, right_;
    std::vector<std::pair<uint32_t, uint32_t>> merges_;
};

}  // namespace

TrainedBpe train_bpe(const WordList& words, const BpeTraining& options, Watch& watch) {
    return Merger(words, options).train(watch);
}

}  // namespace headway
