#include "engine/arrow.h"

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace headway {

namespace {

OwnedBlock copy_of(const void* memory, size_t size) {
    size_t room = size + 1;
    void* copy = take_block(room);
    if (size) std::memcpy(copy, memory, size);
    return {copy, room};
}

// One list column; `borders` and `valid` are its own copies.
ArrowArray list_column(const EncodedColumn& column, Buffer<uint32_t>& values) {
    const auto count = int64_t(values.size());
    values.reserve_more(1);  // a buffer must be there even for no values
    const auto numbers = values.release();
    ArrowArray child{}, list{};
    export_array(&child, count, 0, {nullptr, numbers.first}, {numbers}, {});
    const auto borders = copy_of(column.borders.data(), column.borders.size() * sizeof(int32_t));
    std::vector<OwnedBlock> owned = {borders};
    void* valid = nullptr;
    if (!column.valid.empty()) {
        owned.push_back(copy_of(column.valid.data(), column.valid.size()));
        valid = owned.back().first;
    }
    export_array(&list, column.rows, column.nulls, {valid, borders.first}, std::move(owned), {child});
    return list;
}

}  // namespace

bool view_texts(const ArrowSchema& schema, const ArrowArray& array, TextChunk& chunk) {
    const std::string_view format = schema.format;
    const bool large = format == "U" || format == "Z";
    if (!large && format != "u" && format != "z") return false;
    chunk.large = large;
    chunk.length = array.length;
    chunk.offset = array.offset;
    chunk.valid = array.null_count == 0 ? nullptr : static_cast<const uint8_t*>(array.buffers[0]);
    chunk.borders = array.buffers[1];
    chunk.bytes = static_cast<const char*>(array.buffers[2]);
    return true;
}

void export_columns(EncodedColumn&& column, ArrowSchema* schema, ArrowArray* array) {
    std::vector<std::pair<const char*, Buffer<uint32_t>*>> wanted = {{"ids", &column.tokens.ids}};
    if (column.tokens.wanted.offsets) {
        wanted.emplace_back("starts", &column.tokens.starts);
        wanted.emplace_back("ends", &column.tokens.ends);
    }
    if (column.tokens.wanted.words) wanted.emplace_back("words", &column.tokens.words);
    std::vector<ArrowSchema> schemas;
    std::vector<ArrowArray> arrays;
    for (const auto& [name, values] : wanted) {
        ArrowSchema item{}, list{};
        export_schema(&item, "i", "item", {});
        export_schema(&list, "+l", name, {item});
        schemas.push_back(list);
        arrays.push_back(list_column(column, *values));
    }
    export_schema(schema, "+s", "", std::move(schemas));
    export_array(array, column.rows, 0, {nullptr}, {}, std::move(arrays));
}

}  // namespace headway
