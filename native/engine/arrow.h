// Columns of text come in from Arrow and columns of numbers go out, without a copy.
#pragma once

#include "arrow/exported.h"
#include "engine/column.h"

namespace headway {

// Views an Arrow array of strings or bytes, which must outlive the view; false where it is neither.
bool view_texts(const ArrowSchema& schema, const ArrowArray& array, TextChunk& chunk);

// Hands encoded columns over as a struct array: `ids` and what else was asked for, lists of int32.
void export_columns(EncodedColumn&& column, ArrowSchema* schema, ArrowArray* array);

}  // namespace headway
