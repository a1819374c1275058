#include "training/word_counter.h"

#include <algorithm>
#include <map>

#include "text/hash.h"
#include "text/utf8.h"
#include "training/parallel.h"

namespace headway {

namespace {

constexpr size_t kBlockBytes = 1 << 18;  // text that one thread takes at a time
constexpr size_t kStretchesAtOnce = 1 << 16;

// Memory of a word while it is learnt from: its symbols, and where its pairs stand.
uint64_t cost_of(std::string_view word) { return 32 + 13 * uint64_t(word.size()); }

}  // namespace

size_t WordCounts::bytes() const {
    size_t bytes = 0;
    for (const WordTable& table : tables_) bytes += table.bytes();
    return bytes;
}

uint64_t WordCounts::cut() const {
    uint64_t cut = 0;
    for (const WordTable& table : tables_) cut += table.cut();
    return cut;
}

bool WordCounts::spill() {
    if (!runs_.write(tables_)) return false;
    for (WordTable& table : tables_) table.clear();
    return true;
}

bool WordCounts::finish() {
    if (!runs_.empty()) return spill();
    for (size_t i = 1; i < tables_.size(); ++i) {
        tables_[i].each([&](std::string_view word, uint64_t count) { tables_[0].add(word, count); });
        tables_[i].clear();
    }
    return true;
}

bool WordCounts::each(const VisitWord& visit) const {
    if (!runs_.empty()) return runs_.each(visit);
    bool is_wanted = true;
    tables_[0].each([&](std::string_view word, uint64_t count) {
        is_wanted = is_wanted && visit(word, count);
    });
    return true;
}

// Neighbouring texts, which one thread counts: either lines, or rows of a chunk.
struct WordCounter::Block {
    std::string_view lines;
    const TextChunk* chunk = nullptr;
    int64_t first = 0, end = 0;
    uint64_t number = 0;  // of the first row among all; of lines it is not known before
    uint64_t texts = 0, bytes = 0;
    CountingEnd fault;

    void count(const WordCutter& cutter, WordTable& words, WordTable& stretches) {
        const auto text = [&](std::string_view one) {
            const size_t place = first_invalid_utf8(one);
            if (place < one.size()) fault = {Counting::kNotUtf8, number + texts, place};
            if (one.size() > UINT32_MAX) fault = {Counting::kTooLong, number + texts, 0};
            if (fault.how != Counting::kDone) return false;
            cutter.cut(one, words, stretches);
            ++texts;
            bytes += one.size();
            return true;
        };
        for (size_t at = 0; at < lines.size();) {
            const size_t end = std::min(lines.find('\n', at), lines.size() - 1) + 1;
            if (!text(lines.substr(at, end - at))) return;
            at = end;
        }
        for (int64_t row = first; row < end; ++row) {
            if (chunk->is_valid(row) && !text(chunk->text(row))) return;
            if (!chunk->is_valid(row)) ++number;  // rows without a text are no texts, but numbered
        }
    }
};

WordCounter::WordCounter(WordCutterPtr cutter, size_t threads, uint64_t budget,
                         std::array<int, 2> files)
    : cutter_(std::move(cutter)),
      threads_(threads),
      budget_(budget),
      words_(threads, files[0]),
      stretches_(threads, files[1]) {}

CountingEnd WordCounter::add_lines(std::string_view lines, Watch& watch) {
    std::vector<Block> blocks;
    for (size_t at = 0; at < lines.size();) {
        size_t end = lines.find('\n', std::min(at + kBlockBytes, lines.size() - 1));
        end = std::min(end, lines.size() - 1) + 1;
        blocks.emplace_back().lines = lines.substr(at, end - at);
        at = end;
    }
    return add(std::move(blocks), watch);
}

CountingEnd WordCounter::add_column(const std::vector<TextChunk>& chunks, Watch& watch) {
    std::vector<Block> blocks;
    uint64_t number = 0;
    for (const TextChunk& chunk : chunks) {
        for (int64_t first = 0; first < chunk.length;) {
            int64_t end = first + 1;
            const int64_t limit = chunk.border(first) + int64_t(kBlockBytes);
            while (end < chunk.length && chunk.border(end) < limit) ++end;
            Block& block = blocks.emplace_back();
            block.chunk = &chunk;
            block.first = first;
            block.end = end;
            block.number = number + uint64_t(first);
            first = end;
        }
        number += uint64_t(chunk.length);
    }
    return add(std::move(blocks), watch);
}

CountingEnd WordCounter::add(std::vector<Block> blocks, Watch& watch) {
    // Blocks between two looks at memory, whose words all may be new.
    const size_t round = std::clamp<size_t>(budget_ / 32 / kBlockBytes, threads_, 64);
    uint64_t texts = 0;
    for (size_t first = 0; first < blocks.size(); first += round) {
        const size_t some = std::min(round, blocks.size() - first);
        bool is_wanted = true;
        share(threads_, some, [&](size_t i, size_t thread) {
            if (thread == 0 && !watch.go_on(Stage::kCounting, summary_.bytes, 0)) {
                is_wanted = false;
                return false;
            }
            Block& block = blocks[first + i];
            block.count(*cutter_, words_.tables()[thread], stretches_.tables()[thread]);
            return block.fault.how == Counting::kDone;
        });
        // Blocks before the first one at fault have all been taken, whatever threads did meanwhile.
        for (size_t i = first; i < first + some; ++i) {
            Block& block = blocks[i];
            if (block.fault.how != Counting::kDone) {
                if (!block.chunk) block.fault.text += texts;
                return block.fault;
            }
            texts += block.texts;
            summary_.texts += block.texts;
            summary_.bytes += block.bytes;
        }
        if (!is_wanted) return {Counting::kStopped};
        if (!keep_to_budget()) return {Counting::kFileFailed};
    }
    return {};
}

bool WordCounter::keep_to_budget() {
    const auto fits = [&] { return words_.bytes() + stretches_.bytes() <= most_in_tables(); };
    const bool are_words_more = words_.bytes() > stretches_.bytes();
    WordCounts& larger = are_words_more ? words_ : stretches_;
    WordCounts& smaller = are_words_more ? stretches_ : words_;
    return fits() || (larger.spill() && (fits() || smaller.spill()));
}

Counting WordCounter::cut_stretches(Watch& watch) {
    std::vector<std::pair<std::string, uint64_t>> some;
    Counting how = Counting::kDone;
    const auto cut_some = [&] {
        constexpr size_t kShare = 1 << 10;
        share(threads_, (some.size() + kShare - 1) / kShare, [&](size_t i, size_t thread) {
            const size_t end = std::min(some.size(), (i + 1) * kShare);
            for (size_t k = i * kShare; k < end; ++k) {
                cutter_->cut_stretch(some[k].first, some[k].second, words_.tables()[thread]);
            }
            return true;
        });
        some.clear();
        if (!watch.go_on(Stage::kCounting, summary_.bytes, 0)) how = Counting::kStopped;
        if (words_.bytes() + stretches_.bytes() <= most_in_tables()) return;
        if (!words_.spill()) how = Counting::kFileFailed;
    };
    if (!stretches_.finish()) return Counting::kFileFailed;
    const bool is_read = stretches_.each([&](std::string_view stretch, uint64_t count) {
        some.emplace_back(stretch, count);
        if (some.size() == kStretchesAtOnce) cut_some();
        return how == Counting::kDone;
    });
    if (!is_read) return Counting::kFileFailed;
    if (how == Counting::kDone) cut_some();
    summary_.runs += stretches_.runs();
    for (WordTable& table : stretches_.tables()) table.clear();
    return how;
}

Counting WordCounter::finish(WordList& words, Watch& watch) {
    const Counting how = cut_stretches(watch);
    if (how != Counting::kDone) return how;
    summary_.cut = words_.cut();
    if (!words_.finish()) return Counting::kFileFailed;
    summary_.runs += words_.runs();
    const Counting chosen = choose_words(words, watch);
    for (WordTable& table : words_.tables()) table.clear();
    return chosen;
}

// All words, or the most frequent ones that the budget has room for; of the rarest of these, chance
// decides, which is the same each time.
Counting WordCounter::choose_words(WordList& words, Watch& watch) {
    constexpr uint64_t kMost = 1 << 12;  // counts from here on are told apart no more
    uint64_t seen = 0;
    bool is_wanted = true;
    const auto go_on = [&] {
        if (++seen % (1 << 16) == 0) is_wanted = watch.go_on(Stage::kCounting, summary_.bytes, 0);
        return is_wanted;
    };
    struct Group {
        uint64_t cost = 0, words = 0, bytes = 0;
    };
    std::map<uint64_t, Group> groups;
    const bool is_read = words_.each([&](std::string_view word, uint64_t count) {
        Group& group = groups[std::min(count, kMost)];
        group.cost += cost_of(word);
        group.bytes += word.size();
        ++group.words;
        ++summary_.distinct;
        summary_.words += count;
        return go_on();
    });
    if (!is_read) return Counting::kFileFailed;
    uint64_t cost = 0, bytes = 0, kept = 0, threshold = 0;
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
        const Group& words_of = group->second;
        if (cost + words_of.cost > budget_) {
            summary_.least_count = group->first;
            const double share = double(budget_ - cost) / double(words_of.cost);
            threshold = uint64_t(0x1p64 * std::min(share, 0.999));
            break;
        }
        cost += words_of.cost;
        kept += words_of.words;
        bytes += words_of.bytes;
    }
    words.reserve(kept, bytes);
    const bool is_read_again = words_.each([&](std::string_view word, uint64_t count) {
        const uint64_t group = std::min(count, kMost);
        const bool is_rarest = group == summary_.least_count;
        if (is_rarest ? hash_bytes(word) < threshold : group > summary_.least_count) {
            words.add(word, count);
        }
        return go_on();
    });
    summary_.left_out = summary_.distinct - words.size();
    if (!is_read_again) return Counting::kFileFailed;
    return is_wanted ? Counting::kDone : Counting::kStopped;
}

}  // namespace headway
