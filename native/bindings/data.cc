// The functions of headway.data._native.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>

#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "bindings/columns.h"
#include "data/cells.h"
#include "data/json_lines.h"
#include "text/utf8.h"

namespace nb = nanobind;
using namespace headway;
using namespace nb::literals;

namespace {

// Bytes of an object that lends them, for the time of a call.
class Lent {
   public:
    explicit Lent(const nb::object& object) {
        if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE)) throw nb::python_error();
    }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() { PyBuffer_Release(&view_); }

    std::string_view text() const {
        return {static_cast<const char*>(view_.buf), static_cast<size_t>(view_.len)};
    }

   private:
    Py_buffer view_{};
};

// Calls a function with bytes while other threads of Python run.
template <class Function>
auto with_text(const nb::object& object, Function function) {
    const Lent lent(object);
    const nb::gil_scoped_release released;
    return function(lent.text());
}

struct JsonRows : Columns {
    using Columns::Columns;
};

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "Bytes of text files looked at; headway.data.formats is the way in.";
    m.def(
        "is_text",
        [](const nb::object& text) {
            return with_text(text, [](std::string_view bytes) {
                return !std::memchr(bytes.data(), 0, bytes.size()) &&
                       first_invalid_utf8(bytes) == bytes.size();
            });
        },
        "text"_a, "Whether bytes are UTF-8 without NUL.");
    m.def(
        "last_feed",
        [](const nb::object& text) {
            return with_text(text, [](std::string_view bytes) { return bytes.rfind('\n') + 1; });
        },
        "text"_a, "The place behind the last line feed, or 0.");
    m.def(
        "count_line_ends", [](const nb::object& text) { return with_text(text, count_line_ends); },
        "text"_a, "The number of line ends: \\n, \\r\\n, and \\r alone.");
    m.def(
        "last_line_end", [](const nb::object& text) { return with_text(text, last_line_end); },
        "text"_a, "The place behind the last line end of any kind, or 0.");
    m.def(
        "last_record_end",
        [](const nb::object& text, char delimiter) {
            return with_text(text, [=](std::string_view bytes) {
                const RecordEnd found = last_record_end(bytes, delimiter);
                return std::pair(found.end, found.strict);
            });
        },
        "text"_a, "delimiter"_a,
        "The place behind the last line end outside of quotes, or 0; whether all quotes are strict.");
    m.def(
        "strictly_quoted",
        [](const nb::object& text, char delimiter) {
            return with_text(
                text, [=](std::string_view bytes) { return strictly_quoted(bytes, delimiter); });
        },
        "text"_a, "delimiter"_a,
        "Whether every double quote opens a cell, closes one or is doubled inside one.");
    nb::class_<JsonRows>(m, "JsonRows", "Rows of JSON; any Arrow library takes them over.")
        .def(
            "__arrow_c_array__", [](JsonRows& rows, const nb::object&) { return rows.capsules(); },
            "requested_schema"_a = nb::none());
    m.def(
        "read_json_lines",
        [](const nb::object& lines) -> nb::object {
            std::optional<JsonTable> table = with_text(lines, read_json_lines);
            if (!table) return nb::none();
            JsonRows rows;
            export_table(std::move(*table), &rows.schema, &rows.array);
            return nb::cast(std::move(rows));
        },
        "lines"_a, "The rows of lines that are plain objects, or None.");
}
