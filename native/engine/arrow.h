// The Arrow C data interface: columns of text come in and columns of numbers go out without a copy
// and without a library. Source: https://arrow.apache.org/docs/format/CDataInterface.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/column.h"

extern "C" {

struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema** children;
    struct ArrowSchema* dictionary;
    void (*release)(struct ArrowSchema*);
    void* private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void** buffers;
    struct ArrowArray** children;
    struct ArrowArray* dictionary;
    void (*release)(struct ArrowArray*);
    void* private_data;
};

}  // extern "C"

namespace headway {

// Views an Arrow array of strings or bytes, which must outlive the view; false where it is neither.
bool view_texts(const ArrowSchema& schema, const ArrowArray& array, TextChunk& chunk);

// Hands encoded columns over as a struct array: `ids` and what else was asked for, lists of int32.
void export_columns(EncodedColumn&& column, ArrowSchema* schema, ArrowArray* array);

}  // namespace headway
