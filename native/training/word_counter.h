// Counts the words of texts on some threads, in bounded memory.
//
// Each thread counts into a table of its own. Where the tables get too large they are written to a
// file, sorted, and begun anew; at the end the parts are merged. So counts are exact, whatever the
// number of threads, the budget and the pieces the texts come in.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/column.h"
#include "training/cutters.h"
#include "training/watch.h"
#include "training/word_list.h"
#include "training/word_runs.h"
#include "training/word_table.h"

namespace headway {

// Counts that lie in the tables of some threads and, where these became too large, in a file.
class WordCounts {
   public:
    WordCounts(size_t threads, int file) : tables_(threads), runs_(file) {}

    std::vector<WordTable>& tables() { return tables_; }
    size_t bytes() const;
    uint64_t cut() const;
    size_t runs() const { return runs_.size(); }

    // Writes all words down; false where the file takes no more.
    bool spill();

    // Makes `each` possible, after the last word; false where the file takes no more.
    bool finish();
    // Calls `visit` with every word and its whole count, until it says false; false where the file
    // cannot be read.
    bool each(const VisitWord& visit) const;

   private:
    std::vector<WordTable> tables_;
    WordRuns runs_;
};

// Why counting ended.
enum class Counting { kDone, kStopped, kNotUtf8, kTooLong, kFileFailed };

struct CountingEnd {
    Counting how = Counting::kDone;
    uint64_t text = 0;  // the number of the text in this call that is at fault, and
    size_t place = 0;   // the byte of it that is not UTF-8
};

// What was counted, and what of it was left out for want of memory.
struct CountingSummary {
    uint64_t texts = 0, bytes = 0;
    uint64_t words = 0, distinct = 0;  // all of them
    uint64_t left_out = 0;             // distinct ones: all that come less often than
    uint64_t least_count = 0;          // so many times, and some that come so often
    uint64_t cut = 0;                  // words longer than WordTable::kLongest, which were cut
    size_t runs = 0;                   // times that counts were written to a file
};

class WordCounter {
   public:
    // `budget` is in bytes, for counting and for the words that are handed on. The files are for
    // words and for stretches.
    WordCounter(WordCutterPtr cutter, size_t threads, uint64_t budget, std::array<int, 2> files);

    // Counts lines, which keep their ends.
    CountingEnd add_lines(std::string_view lines, Watch& watch);
    // Counts the texts of some columns.
    CountingEnd add_column(const std::vector<TextChunk>& chunks, Watch& watch);

    // Hands over the words, in no order; nothing can be added any more.
    Counting finish(WordList& words, Watch& watch);

    const CountingSummary& summary() const { return summary_; }

   private:
    struct Block;

    CountingEnd add(std::vector<Block> blocks, Watch& watch);
    // Tables may double before they are looked at again, and to sort them takes as much once more.
    uint64_t most_in_tables() const { return budget_ / 5 * 2; }
    bool keep_to_budget();
    Counting cut_stretches(Watch& watch);
    Counting choose_words(WordList& words, Watch& watch);

    WordCutterPtr cutter_;
    size_t threads_;
    uint64_t budget_;
    WordCounts words_, stretches_;
    CountingSummary summary_;
};

}  // namespace headway
