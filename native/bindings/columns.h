// Columns on their way to Python, where any Arrow library takes them over.
#pragma once

#include <nanobind/nanobind.h>

#include "arrow/exported.h"

namespace headway {

class Columns {
   public:
    Columns() = default;
    Columns(Columns&& other) noexcept : schema(other.schema), array(other.array) {
        other.schema.release = nullptr;
        other.array.release = nullptr;
    }
    ~Columns() {
        if (schema.release) schema.release(&schema);
        if (array.release) array.release(&array);
    }

    // What the protocol of Arrow's capsules asks for; the columns are handed over once.
    nanobind::tuple capsules() {
        return nanobind::make_tuple(capsule_of(schema, "arrow_schema"),
                                    capsule_of(array, "arrow_array"));
    }

    ArrowSchema schema{};
    ArrowArray array{};

   private:
    template <class Struct>
    static nanobind::capsule capsule_of(Struct& exported, const char* name) {
        auto* moved = new Struct(exported);
        exported.release = nullptr;
        return nanobind::capsule(moved, name, [](void* data) noexcept {
            auto* kept = static_cast<Struct*>(data);
            if (kept->release) kept->release(kept);
            delete kept;
        });
    }
};

// What a capsule of Arrow's protocol holds.
template <class Struct>
const Struct* pointer_in(const nanobind::handle& capsule, const char* name) {
    void* pointer = PyCapsule_GetPointer(capsule.ptr(), name);
    if (!pointer) throw nanobind::python_error();
    return static_cast<const Struct*>(pointer);
}

}  // namespace headway
