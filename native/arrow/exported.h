// The Arrow C data interface, and columns that are handed over through it without a copy.
// Source: https://arrow.apache.org/docs/format/CDataInterface.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

// A block of memory and its size, which give_block takes back.
using OwnedBlock = std::pair<void*, size_t>;

// Fills in a schema whose fields may be missing; it owns the children.
void export_schema(ArrowSchema* schema, std::string format, std::string name,
                   std::vector<ArrowSchema> children);

// Fills in an array that owns blocks, into which its buffers point, and the children.
void export_array(ArrowArray* array, int64_t length, int64_t nulls,
                  std::vector<const void*> buffers, std::vector<OwnedBlock> owned,
                  std::vector<ArrowArray> children);

}  // namespace headway
