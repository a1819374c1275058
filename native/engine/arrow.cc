#include "engine/arrow.h"

#include <cstring>
#include <utility>

namespace headway {

namespace {

// What an exported schema or array keeps alive.
struct SchemaPart {
    std::string format, name;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
};

struct ArrayPart {
    std::vector<std::pair<void*, size_t>> owned;  // blocks
    std::vector<const void*> buffers;
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
};

template <class Struct, class Part>
void release(Struct* exported) {
    auto* part = static_cast<Part*>(exported->private_data);
    for (Struct& child : part->children) {
        if (child.release) child.release(&child);
    }
    if constexpr (std::is_same_v<Part, ArrayPart>) {
        for (const auto& [block, size] : part->owned) give_block(block, size);
    }
    delete part;
    exported->release = nullptr;
}

void set_schema(ArrowSchema* schema, std::string format, std::string name,
                std::vector<ArrowSchema> children) {
    auto* part = new SchemaPart{std::move(format), std::move(name), std::move(children), {}};
    for (ArrowSchema& child : part->children) part->pointers.push_back(&child);
    constexpr int64_t kNullable = 2;
    *schema = {part->format.c_str(),     part->name.c_str(),     nullptr, kNullable,
               int64_t(part->children.size()), part->pointers.data(), nullptr,
               release<ArrowSchema, SchemaPart>, part};
}

void set_array(ArrowArray* array, int64_t length, int64_t nulls, std::vector<const void*> buffers,
               std::vector<std::pair<void*, size_t>> owned, std::vector<ArrowArray> children) {
    auto* part = new ArrayPart{std::move(owned), std::move(buffers), std::move(children), {}};
    for (ArrowArray& child : part->children) part->pointers.push_back(&child);
    *array = {length, nulls, 0, int64_t(part->buffers.size()), int64_t(part->children.size()),
              part->buffers.data(), part->pointers.data(), nullptr, release<ArrowArray, ArrayPart>,
              part};
}

std::pair<void*, size_t> copy_of(const void* memory, size_t size) {
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
    set_array(&child, count, 0, {nullptr, numbers.first}, {numbers}, {});
    const auto borders = copy_of(column.borders.data(), column.borders.size() * sizeof(int32_t));
    std::vector<std::pair<void*, size_t>> owned = {borders};
    void* valid = nullptr;
    if (!column.valid.empty()) {
        owned.push_back(copy_of(column.valid.data(), column.valid.size()));
        valid = owned.back().first;
    }
    set_array(&list, column.rows, column.nulls, {valid, borders.first}, std::move(owned), {child});
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
        set_schema(&item, "i", "item", {});
        set_schema(&list, "+l", name, {item});
        schemas.push_back(list);
        arrays.push_back(list_column(column, *values));
    }
    set_schema(schema, "+s", "", std::move(schemas));
    set_array(array, column.rows, 0, {nullptr}, {}, std::move(arrays));
}

}  // namespace headway
