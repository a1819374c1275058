// Rows of a column gathered by number, from any number of chunks, into memory of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arrow/exported.h"

namespace headway {

// What a column holds, as far as rows of it can be copied here.
struct Layout {
    enum class Kind : uint8_t {
        kBits,   // true/false
        kFixed,  // `width` bytes a row
        kRuns,   // a run of items of `width` bytes: text, bytes, lists of numbers
    };

    // The layout of a type, or nothing where it is another one.
    static std::optional<Layout> of(const ArrowSchema& schema);

    Kind kind;
    size_t width;
    bool large = false;    // whether borders of runs have 64 bits
    bool is_list = false;  // whether items are a child with a type of its own
    std::string format, item_format, item_name;
};

// Which rows are wanted, visited from low to high numbers but for those that are near each other:
// memory and disks are faster like that, and to sort them wholly would take longer than it saves.
class Visits {
   public:
    // Nothing where a row is not below `rows`.
    static std::optional<Visits> of(const int64_t* wanted, size_t count, int64_t rows);

    size_t size() const { return rows_.size(); }
    int64_t of_rows() const { return of_rows_; }  // below which all rows are
    int64_t row(size_t i) const { return rows_[i]; }
    size_t place(size_t i) const { return places_[i]; }

   private:
    int64_t of_rows_ = 0;
    std::vector<int64_t> rows_;
    std::vector<uint32_t> places_;  // where in what was wanted
};

class ColumnChunks {
   public:
    // Chunks of one layout, which must outlive this; null where a list misses items.
    static std::optional<ColumnChunks> of(const ArrowSchema& schema,
                                          const std::vector<const ArrowArray*>& chunks);

    // Copies the rows that are visited, each to its place. False, and nothing made, where the runs
    // have together more items than `most`, or than their borders can say.
    bool gather(const Visits& visits, int64_t most, ArrowSchema* schema, ArrowArray* array) const;

    // How many items the run of each visited row has, written to its place. False for no runs.
    bool lengths(const Visits& visits, int64_t* out) const;

    // Copies `counts` items from `starts` on of each visited row, laid end to end in the order of
    // places. False where a row has no such items, or they are not `size` bytes.
    bool copy_parts(const Visits& visits, const int64_t* starts, const int64_t* counts, char* out,
                    size_t size) const;

    int64_t rows() const { return ends_.empty() ? 0 : ends_.back(); }
    const Layout& layout() const { return layout_; }

    // Where the value of one row lies.
    struct Cell {
        bool missing;
        const char* first;  // the value, or the first item of a run; null for no items
        int64_t count;      // items of a run
        bool bit;           // true/false
    };
    Cell cell(int64_t row) const;

   private:
    struct Chunk {
        const uint8_t* valid;  // null where nothing is missing
        const void* borders;
        const char* values;
        int64_t offset;
    };

    explicit ColumnChunks(Layout layout) : layout_(std::move(layout)) {}

    // Calls visit(number, chunk, row in the chunk's buffers) for all rows that are visited.
    template <class Visit>
    void each(const Visits& visits, Visit visit) const;
    template <size_t width>
    void gather_values(const Visits& visits, char* out) const;
    // Where the runs of visited rows begin and how many items they have: calls
    // found(number, first item, count) in the order of visits.
    template <class Border, class Found>
    void each_run(const Visits& visits, Found found) const;
    template <class Found>
    void each_run(const Visits& visits, Found found) const;
    template <class Border>
    bool gather_runs(const Visits& visits, int64_t most, std::vector<const void*>& buffers,
                     std::vector<OwnedBlock>& owned, int64_t& items) const;
    int64_t gather_valid(const Visits& visits, std::vector<const void*>& buffers,
                         std::vector<OwnedBlock>& owned) const;

    Layout layout_;
    std::vector<Chunk> chunks_;
    std::vector<int64_t> ends_;  // how many rows there are with each chunk
    bool any_missing_ = false;
};

}  // namespace headway
