// Counts of words that memory has no room for: sorted runs in a file, merged when they are read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "training/word_table.h"

namespace headway {

// Sees a word and its count; false ends the visit.
using VisitWord = std::function<bool(std::string_view, uint64_t)>;

class WordRuns {
   public:
    // The file is open for reading and writing, empty, and stays the caller's.
    explicit WordRuns(int file) : file_(file) {}

    bool empty() const { return runs_.empty(); }
    size_t size() const { return runs_.size(); }

    // Appends the words of some tables as one run; false where the file takes no more.
    bool write(const std::vector<WordTable>& tables);

    // Calls `visit` with every word, in the order of their bytes, and its count over all runs, until
    // it says false; false where the file cannot be read.
    bool each(const VisitWord& visit) const;

   private:
    struct Run {
        uint64_t start, end;
    };
    class Reader;

    int file_;
    uint64_t size_ = 0;
    std::vector<Run> runs_;
};

}  // namespace headway
