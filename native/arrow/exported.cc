#include "arrow/exported.h"

#include <type_traits>

#include "engine/memory.h"

namespace headway {

namespace {

// What an exported schema or array keeps alive.
struct SchemaPart {
    std::string format, name;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
};

struct ArrayPart {
    std::vector<OwnedBlock> owned;
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

}  // namespace

void export_schema(ArrowSchema* schema, std::string format, std::string name,
                   std::vector<ArrowSchema> children) {
    auto* part = new SchemaPart{std::move(format), std::move(name), std::move(children), {}};
    for (ArrowSchema& child : part->children) part->pointers.push_back(&child);
    constexpr int64_t kNullable = 2;
    *schema = {part->format.c_str(),     part->name.c_str(),     nullptr, kNullable,
               int64_t(part->children.size()), part->pointers.data(), nullptr,
               release<ArrowSchema, SchemaPart>, part};
}

void export_array(ArrowArray* array, int64_t length, int64_t nulls,
                  std::vector<const void*> buffers, std::vector<OwnedBlock> owned,
                  std::vector<ArrowArray> children) {
    auto* part = new ArrayPart{std::move(owned), std::move(buffers), std::move(children), {}};
    for (ArrowArray& child : part->children) part->pointers.push_back(&child);
    *array = {length, nulls, 0, int64_t(part->buffers.size()), int64_t(part->children.size()),
              part->buffers.data(), part->pointers.data(), nullptr, release<ArrowArray, ArrayPart>,
              part};
}

}  // namespace headway
