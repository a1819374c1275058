// Where records of CSV end, told from the bytes alone.
#pragma once

#include <cstddef>
#include <string_view>

namespace headway {

// The number of line ends: \n, \r\n, and \r alone.
size_t count_line_ends(std::string_view text);

// The place behind the last line end, or 0. A line end is \n, or \r in a text without \n; a \r that is
// the last byte may be half of one and is left aside.
size_t last_line_end(std::string_view text);

struct RecordEnd {
    size_t end;   // behind the last line end that no double quotes enclose, or 0
    bool strict;  // whether all quotes before it open a cell, close one or are doubled inside one
};

// The end of the last record in the beginning of a file, if all quotes before it are strict.
RecordEnd last_record_end(std::string_view text, char delimiter);

// Whether every double quote opens a cell, closes one or is doubled inside one. Quotes alternate
// between opening and closing when a doubled one counts as closing and opening again, so a look at
// each quote's neighbours decides. False proves nothing: a lone quote may stand in a plain cell.
bool strictly_quoted(std::string_view text, char delimiter);

}  // namespace headway
