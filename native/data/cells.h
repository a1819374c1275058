// The records of CSV: where they end, and their cells, told from the bytes alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "arrow/exported.h"
#include "engine/buffer.h"

namespace headway {

// The number of line ends: \n, \r\n, and \r alone.
size_t count_line_ends(std::string_view text);

// The place behind the last line end, or 0. A line end is \n, or \r in a text without \n; a \r that is
// the last byte may be half of one and is left aside.
size_t last_line_end(std::string_view text);

struct RecordEnd {
    size_t end;   // behind the last line end that no double quotes enclose, or 0
    // Whether every double quote before it opens a cell, closes one or is doubled inside one. Quotes
    // alternate between opening and closing when a doubled one counts as closing and opening again,
    // so a look at each quote's neighbours decides. False proves nothing: a lone quote may stand in a
    // plain cell.
    bool strict;
};

// The end of the last record in the beginning of a file, if all quotes before it are strict.
RecordEnd last_record_end(std::string_view text, char delimiter);

// The cells of one column, one behind the other.
struct CellColumn {
    CellColumn() { borders.push(0); }

    Buffer<int32_t> borders;
    Buffer<char> text;
};

// The cells of whole records, of less than 2 GB, that have as many cells each as there are columns.
// Blank lines are none. With `quoting`, a cell may stand in double quotes. Nothing where a record has
// another number of cells, or quotes are not strict: whoever gets it finds out why in another way.
std::optional<std::vector<CellColumn>> read_cells(std::string_view text, char delimiter,
                                                  bool quoting, size_t columns);

// Hands cells over as a struct array of texts named f0, f1, ...
void export_cells(std::vector<CellColumn>&& columns, ArrowSchema* schema, ArrowArray* array);

}  // namespace headway
