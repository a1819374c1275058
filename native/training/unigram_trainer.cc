#include "training/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "text/utf8.h"
#include "training/parallel.h"
#include "training/pieces.h"

namespace headway {

namespace {

constexpr size_t kBlock = 1 << 10;   // runs that one thread takes at a time
constexpr double kFixed = 1 << 20;   // expected counts are whole numbers of such parts
constexpr double kLeastCount = 1;    // expected, of a piece that is kept
constexpr double kTilt = 9;          // a character; keeps products of probabilities in range
constexpr double kRemaining = 0.75;  // share of the pieces that a round leaves
constexpr double kAlmost = 1.1;      // times the size, where rounds end
constexpr int kFits = 2;             // expectations and maximizations a round

// The logarithmic derivative of the gamma function, by its asymptotic series.
double digamma(double x) {
    double result = 0;
    for (; x < 7; ++x) result -= 1 / x;
    x -= 0.5;
    const double square = 1 / (x * x);
    return result + std::log(x) +
           square * (1.0 / 24 - square * (7.0 / 960 - square * (31.0 / 8064 - square * 127.0 / 30720)));
}

// Counts of pieces, one vector a thread: whole numbers, which add up to the same in any order.
using Counts = std::vector<std::vector<uint64_t>>;

class Fitter {
   public:
    Fitter(const UnigramTraining& options, const std::u32string& alphabet, const Runs& runs,
           Pieces pieces, Watch& watch)
        : options_(options),
          alphabet_(alphabet),
          runs_(runs),
          pieces_(std::move(pieces)),
          watch_(watch) {}

    TrainedUnigram train() {
        set_scores({pieces_.counts().begin(), pieces_.counts().end()});
        const size_t first = pieces_.size();
        const size_t almost = std::max<size_t>(size_t(kAlmost * double(options_.size)), alphabet_.size());
        for (;;) {
            for (int i = 0; i < kFits; ++i) {
                if (!tell(first, almost) || !fit()) return {};
            }
            if (pieces_.size() <= almost) break;
            if (!prune(almost)) return {};
        }
        return result();
    }

   private:
    bool is_symbol(size_t piece) const { return piece < alphabet_.size(); }

    // Rounds take away the same share each time, so progress is that of the logarithm.
    bool tell(size_t first, size_t last) {
        const double whole = std::log(double(first) / double(last));
        const double left = std::log(double(pieces_.size()) / double(last));
        const double done = whole > 0 ? std::clamp(1 - left / whole, 0.0, 1.0) : 0;
        told_ = uint64_t(100 * done);
        return watch_.go_on(Stage::kFitting, told_, 100);
    }

    // Fewer pieces with more use each than by plain shares (Liang et al. 2007), as SentencePiece
    // does; characters that are not used at all keep a small score.
    void set_scores(const std::vector<double>& counts) {
        constexpr double kLeast = 0.5;
        const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
        const double log_total = digamma(std::max(total, kLeast));
        scores_.resize(counts.size());
        for (size_t i = 0; i < counts.size(); ++i) {
            scores_[i] = digamma(std::max(counts[i], kLeast)) - log_total;
        }
    }

    // Runs `task(run, counts)` for all runs; false where the watch ended it.
    template <class Task>
    bool each_run(Counts& counts, const Task& task) {
        counts.assign(std::max<size_t>(options_.threads, 1), {});
        for (auto& own : counts) own.resize(pieces_.size());
        bool is_wanted = true;
        share(counts.size(), (runs_.size() + kBlock - 1) / kBlock, [&](size_t block, size_t thread) {
            const size_t end = std::min(runs_.size(), (block + 1) * kBlock);
            for (size_t run = block * kBlock; run < end; ++run) task(run, counts[thread]);
            if (thread != 0) return true;
            return is_wanted = watch_.go_on(Stage::kFitting, told_, 100);
        });
        for (size_t i = 1; i < counts.size(); ++i) {
            for (size_t k = 0; k < counts[0].size(); ++k) counts[0][k] += counts[i][k];
        }
        return is_wanted;
    }

    // One expectation and one maximization; pieces that are hardly used are let go.
    bool fit() {
        std::vector<double> chances(pieces_.size());
        for (size_t i = 0; i < chances.size(); ++i) {
            chances[i] = std::exp(scores_[i] + kTilt * pieces_.length(i));
        }
        Counts counts;
        if (!each_run(counts, [&](size_t run, std::vector<uint64_t>& expected) {
                expect(run, chances, expected);
            })) {
            return false;
        }
        const uint64_t least = least_count(counts[0]);
        std::vector<bool> kept(pieces_.size());
        std::vector<double> used;
        for (size_t i = 0; i < pieces_.size(); ++i) {
            kept[i] = is_symbol(i) || counts[0][i] >= least;
            if (kept[i]) used.push_back(double(counts[0][i]) / kFixed);
        }
        pieces_.keep(kept);
        set_scores(used);
        return true;
    }

    // How often a piece is expected that is kept: less than it should be where the size asks for it.
    uint64_t least_count(const std::vector<uint64_t>& counts) const {
        const auto usual = uint64_t(kLeastCount * kFixed);
        const size_t others = options_.size - std::min(options_.size, alphabet_.size());
        std::vector<uint64_t> sorted(counts.begin() + ptrdiff_t(alphabet_.size()), counts.end());
        if (sorted.size() <= others) return 0;
        if (others == 0) return usual;
        std::nth_element(sorted.begin(), sorted.begin() + ptrdiff_t(others) - 1, sorted.end(),
                         std::greater<>());
        return std::min(usual, sorted[others - 1]);
    }

    // Adds how often each piece is expected in a run, forward and backward.
    void expect(size_t run, const std::vector<double>& chances,
                std::vector<uint64_t>& expected) const {
        double forward[Runs::kLongest + 1] = {1}, backward[Runs::kLongest + 1];
        const uint64_t start = runs_.starts[run];
        const uint32_t size = runs_.length(run);
        for (uint32_t at = 0; at < size; ++at) {
            const Edge* end = pieces_.end(start + at);
            for (const Edge* edge = pieces_.begin(start + at); edge != end; ++edge) {
                forward[at + edge->length()] += forward[at] * chances[edge->piece];
            }
        }
        const double scale = kFixed * double(runs_.counts[run]) / forward[size];
        backward[size] = 1;
        for (uint32_t at = size; at-- > 0;) {
            double sum = 0;
            const Edge* end = pieces_.end(start + at);
            for (const Edge* edge = pieces_.begin(start + at); edge != end; ++edge) {
                const double rest = chances[edge->piece] * backward[at + edge->length()];
                sum += rest;
                expected[edge->piece] += uint64_t(std::llround(forward[at] * rest * scale));
            }
            backward[at] = sum;
        }
    }

    struct Step {
        double score;
        uint32_t piece, start;
    };

    // The likeliest cut of some symbols, without one piece; false where there is none. Pieces are
    // given from the last to the first.
    bool best_cut(uint64_t start, uint32_t size, uint32_t without, std::vector<uint32_t>& cut) const {
        Step steps[Runs::kLongest + 1];
        for (uint32_t i = 1; i <= size; ++i) steps[i].score = -INFINITY;
        steps[0].score = 0;
        for (uint32_t at = 0; at < size; ++at) {
            const Edge* end = pieces_.end(start + at);
            for (const Edge* edge = pieces_.begin(start + at); edge != end; ++edge) {
                const uint32_t to = at + edge->length();
                if (to > size || edge->piece == without) continue;
                const double score = steps[at].score + scores_[edge->piece];
                if (score > steps[to].score) steps[to] = {score, edge->piece, at};
            }
        }
        cut.clear();
        if (steps[size].score == -INFINITY) return false;
        for (uint32_t at = size; at > 0; at = steps[at].start) cut.push_back(steps[at].piece);
        return true;
    }

    static constexpr uint32_t kNone = UINT32_MAX;

    // Takes away the pieces that cost the least, down to a share, or to `most`.
    bool prune(size_t most) {
        Counts counts;
        if (!each_run(counts, [&](size_t run, std::vector<uint64_t>& used) {
                thread_local std::vector<uint32_t> cut;
                best_cut(runs_.starts[run], runs_.length(run), kNone, cut);
                for (const uint32_t piece : cut) used[piece] += runs_.counts[run];
            })) {
            return false;
        }
        const std::vector<double> losses = losses_of(counts[0]);
        std::vector<uint32_t> order;
        for (uint32_t i = uint32_t(alphabet_.size()); i < pieces_.size(); ++i) {
            if (losses[i] > -INFINITY) order.push_back(i);
        }
        const size_t left = std::max(most, size_t(kRemaining * double(pieces_.size())));
        const size_t others = left - std::min(left, alphabet_.size());
        const auto better = [&](uint32_t a, uint32_t b) {
            return losses[a] != losses[b] ? losses[a] > losses[b] : a < b;
        };
        if (order.size() > others) {
            std::nth_element(order.begin(), order.begin() + ptrdiff_t(others), order.end(), better);
            order.resize(others);
        }
        keep_only(order);
        return true;
    }

    // What the text's likelihood loses, in parts of its size, with each piece: minus infinity for
    // pieces that nothing is lost with.
    std::vector<double> losses_of(const std::vector<uint64_t>& used) const {
        const double total = double(std::accumulate(used.begin(), used.end(), uint64_t(0)));
        const double log_total = std::log(total);
        std::vector<double> losses(pieces_.size(), -INFINITY);
        constexpr size_t kSome = 1 << 12;
        share(std::max<size_t>(options_.threads, 1), (pieces_.size() + kSome - 1) / kSome,
              [&](size_t block, size_t) {
                  std::vector<uint32_t> cut;
                  const size_t end = std::min(pieces_.size(), (block + 1) * kSome);
                  for (size_t i = block * kSome; i < end; ++i) {
                      if (is_symbol(i) || used[i] == 0) continue;
                      best_cut(pieces_.place(i), pieces_.length(i), uint32_t(i), cut);
                      double score = 0;
                      for (const uint32_t piece : cut) score += scores_[piece];
                      if (score >= scores_[i]) continue;  // its parts are likelier than itself
                      const double count = double(used[i]);
                      const double log_after = std::log(total + count * double(cut.size() - 1));
                      double after = 0;
                      for (const uint32_t piece : cut) {
                          after += std::log(double(used[piece]) + count) - log_after;
                      }
                      losses[i] = count / total * (std::log(count) - log_total - after);
                  }
                  return true;
              });
        return losses;
    }

    // Keeps symbols and some other pieces.
    void keep_only(const std::vector<uint32_t>& others) {
        std::vector<bool> kept(pieces_.size());
        std::fill_n(kept.begin(), alphabet_.size(), true);
        for (const uint32_t piece : others) kept[piece] = true;
        std::vector<double> scores;
        for (size_t i = 0; i < kept.size(); ++i) {
            if (kept[i]) scores.push_back(scores_[i]);
        }
        pieces_.keep(kept);
        scores_.swap(scores);
    }

    // All symbols, and of the other pieces the likeliest.
    TrainedUnigram result() {
        std::vector<uint32_t> order;
        for (uint32_t i = uint32_t(alphabet_.size()); i < pieces_.size(); ++i) order.push_back(i);
        const auto better = [&](uint32_t a, uint32_t b) {
            return scores_[a] != scores_[b] ? scores_[a] > scores_[b] : a < b;
        };
        std::sort(order.begin(), order.end(), better);
        const size_t others = options_.size - std::min(options_.size, alphabet_.size());
        order.resize(std::min(order.size(), others));
        for (uint32_t i = 0; i < alphabet_.size(); ++i) order.push_back(i);
        std::sort(order.begin(), order.end(), better);
        TrainedUnigram trained;
        trained.is_done = true;
        for (const uint32_t piece : order) trained.pieces.emplace_back(text_of(piece), scores_[piece]);
        return trained;
    }

    std::string text_of(uint32_t piece) const {
        if (is_symbol(piece)) return encode_utf8(std::u32string(1, alphabet_[piece]));
        std::u32string text;
        for (uint32_t i = 0; i < pieces_.length(piece); ++i) {
            text.push_back(alphabet_[runs_.symbols[pieces_.place(piece) + i]]);
        }
        return encode_utf8(text);
    }

    const UnigramTraining& options_;
    const std::u32string& alphabet_;
    const Runs& runs_;
    Pieces pieces_;
    Watch& watch_;
    std::vector<double> scores_;
    uint64_t told_ = 0;
};

}  // namespace

TrainedUnigram train_unigram(const WordList& words, const UnigramTraining& options, Watch& watch) {
    std::u32string alphabet = options.alphabet;
    std::sort(alphabet.begin(), alphabet.end());
    alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
    if (!watch.go_on(Stage::kSeeding, 0, 0)) return {};
    const Runs runs = runs_of(words, alphabet);
    const uint32_t longest = std::min(options.longest_piece, Pieces::kLongest);
    std::optional<SortedPlaces> sorted = sorted_places(runs, longest, watch);
    if (!sorted) return {};
    Pieces pieces(runs, *sorted, alphabet.size(), longest, options.candidates);
    sorted.reset();
    if (!watch.go_on(Stage::kSeeding, 0, 0)) return {};
    return Fitter(options, alphabet, runs, std::move(pieces), watch).train();
}

}  // namespace headway
