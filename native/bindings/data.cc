// The functions of headway.data._native.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/columns.h"
#include "data/cells.h"
#include "data/gather.h"
#include "data/json_lines.h"
#include "text/masks.h"
#include "text/utf8.h"

namespace nb = nanobind;
using namespace headway;
using namespace nb::literals;

namespace {

// Bytes of an object that lends them, for the time of a call.
class Lent {
   public:
    explicit Lent(const nb::object& object, int flags = PyBUF_SIMPLE) {
        if (PyObject_GetBuffer(object.ptr(), &view_, flags)) throw nb::python_error();
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

// What Arrow libraries take over; the tokenizer's module has a class of its own for the same.
struct Taken : Columns {
    using Columns::Columns;
};

// A column and the capsules that keep it alive.
struct HeldColumn {
    std::optional<ColumnChunks> chunks;  // always there, but in a place that is left open
    std::vector<std::pair<nb::object, nb::object>> capsules;
};

std::optional<ColumnChunks> chunks_of(
    const std::vector<std::pair<nb::object, nb::object>>& capsules) {
    const ArrowSchema* schema = nullptr;
    std::vector<const ArrowArray*> arrays;
    for (const auto& [kind, values] : capsules) {
        schema = pointer_in<ArrowSchema>(kind, "arrow_schema");
        arrays.push_back(pointer_in<ArrowArray>(values, "arrow_array"));
    }
    if (!schema) return std::nullopt;
    return ColumnChunks::of(*schema, arrays);
}

Visits visits_of(const nb::object& wanted, int64_t rows) {
    const Lent lent(wanted);
    const std::string_view bytes = lent.text();
    const size_t count = bytes.size() / sizeof(int64_t);
    if (bytes.size() % sizeof(int64_t) || count > UINT32_MAX) {
        throw nb::value_error("rows are numbers of 64 bits, fewer than four billion of them");
    }
    std::optional<Visits> visits;
    {
        const nb::gil_scoped_release released;
        visits = Visits::of(reinterpret_cast<const int64_t*>(bytes.data()), count, rows);
    }
    if (!visits) throw nb::index_error("a row that is not there");
    return std::move(*visits);
}

void check_visits(const HeldColumn& column, const Visits& visits) {
    if (visits.of_rows() > column.chunks->rows()) throw nb::index_error("visits of another column");
}

std::optional<Taken> gathered(const HeldColumn& column, const Visits& visits, int64_t most) {
    check_visits(column, visits);
    Taken taken;
    {
        const nb::gil_scoped_release released;
        if (!column.chunks->gather(visits, most, &taken.schema, &taken.array)) return std::nullopt;
    }
    return taken;
}

// Memory of a number for each visit.
const int64_t* numbers_in(const Lent& lent, const Visits& visits) {
    if (lent.text().size() != visits.size() * sizeof(int64_t)) {
        throw nb::value_error("not a number of 64 bits for each row");
    }
    return reinterpret_cast<const int64_t*>(lent.text().data());
}

void lengths_into(const HeldColumn& column, const Visits& visits, const nb::object& into) {
    check_visits(column, visits);
    const Lent out(into, PyBUF_WRITABLE);
    auto* numbers = const_cast<int64_t*>(numbers_in(out, visits));
    const nb::gil_scoped_release released;
    if (!column.chunks->lengths(visits, numbers)) throw nb::value_error("a column without lists");
}

void copy_parts(const HeldColumn& column, const Visits& visits, const nb::object& starts,
                const nb::object& lengths, const nb::object& into) {
    check_visits(column, visits);
    const Lent from(starts), counts(lengths), out(into, PyBUF_WRITABLE);
    const int64_t *first = numbers_in(from, visits), *count = numbers_in(counts, visits);
    const nb::gil_scoped_release released;
    if (!column.chunks->copy_parts(visits, first, count, const_cast<char*>(out.text().data()),
                                  out.text().size())) {
        throw nb::value_error("parts that rows do not have, or memory of another size");
    }
}

template <class T>
T number_at(const char* place) {
    T number;
    std::memcpy(&number, place, sizeof(T));
    return number;
}

// A number as Python has it; null for formats that are none.
PyObject* number_object(char format, const char* place) {
    switch (format) {
        case 'c':
            return PyLong_FromLong(number_at<int8_t>(place));
        case 'C':
            return PyLong_FromLong(number_at<uint8_t>(place));
        case 's':
            return PyLong_FromLong(number_at<int16_t>(place));
        case 'S':
            return PyLong_FromLong(number_at<uint16_t>(place));
        case 'i':
            return PyLong_FromLong(number_at<int32_t>(place));
        case 'I':
            return PyLong_FromUnsignedLong(number_at<uint32_t>(place));
        case 'l':
            return PyLong_FromLongLong(number_at<int64_t>(place));
        case 'L':
            return PyLong_FromUnsignedLongLong(number_at<uint64_t>(place));
        case 'f':
            return PyFloat_FromDouble(number_at<float>(place));
        case 'g':
            return PyFloat_FromDouble(number_at<double>(place));
        default:
            return nullptr;
    }
}

bool is_number(const std::string& format) {
    return format.size() == 1 && std::string_view("cCsSiIlLfg").find(format[0]) != std::string::npos;
}

// Whether cells of a column become Python objects here.
bool has_cells(const Layout& layout) {
    if (layout.is_list) return is_number(layout.item_format);
    return is_number(layout.format) || layout.format == "b" || layout.format == "u" ||
           layout.format == "U" || layout.format == "z" || layout.format == "Z";
}

nb::object cell_object(const ColumnChunks& column, int64_t row) {
    const Layout& layout = column.layout();
    const ColumnChunks::Cell cell = column.cell(row);
    if (cell.missing) return nb::none();
    PyObject* made = nullptr;
    if (layout.is_list) {
        made = PyList_New(cell.count);
        for (int64_t i = 0; made && i < cell.count; ++i) {
            const char* place = cell.first + size_t(i) * layout.width;
            PyObject* item = number_object(layout.item_format[0], place);
            if (!item) {
                Py_CLEAR(made);
            } else {
                PyList_SET_ITEM(made, i, item);
            }
        }
    } else if (layout.kind == Layout::Kind::kBits) {
        made = PyBool_FromLong(cell.bit);
    } else if (layout.kind == Layout::Kind::kFixed) {
        made = number_object(layout.format[0], cell.first);
    } else if (layout.format == "u" || layout.format == "U") {
        made = PyUnicode_DecodeUTF8(cell.first ? cell.first : "", cell.count, nullptr);
    } else {
        made = PyBytes_FromStringAndSize(cell.first ? cell.first : "", cell.count);
    }
    if (!made) throw nb::python_error();
    return nb::steal(made);
}

// Single rows as dicts; the values of columns that have no cells here are set by others.
class RowReader {
   public:
    explicit RowReader(const std::vector<std::pair<nb::str, const HeldColumn*>>& columns) {
        for (const auto& [name, column] : columns) columns_.emplace_back(name, column ? *column : HeldColumn());
    }

    nb::dict read(int64_t row) const {
        nb::dict found;
        for (const auto& [name, column] : columns_) {
            if (!column.chunks) {
                found[name] = nb::none();
                continue;
            }
            if (row < 0 || row >= column.chunks->rows()) throw nb::index_error("no such row");
            found[name] = cell_object(*column.chunks, row);
        }
        return found;
    }

   private:
    std::vector<std::pair<nb::str, HeldColumn>> columns_;
};

void bind_gather(nb::module_& m) {
    nb::class_<Visits>(m, "Visits", "Rows that are wanted, in the order in which they are visited.");
    m.def("visits_of", &visits_of, "wanted"_a, "rows"_a,
          "Visits of the rows at these numbers, int64, of a column that has so many rows.");
    nb::class_<RowReader>(m, "RowReader", "Reads single rows of columns in place.")
        .def(nb::init<const std::vector<std::pair<nb::str, const HeldColumn*>>&>(), "columns"_a)
        .def("__call__", &RowReader::read, "row"_a,
             "One row as a dict of Python values; None for columns that were given as None.");
    nb::class_<HeldColumn>(m, "Column", "A column in chunks, of which rows are gathered.")
        .def("gather", &gathered, "visits"_a, "most"_a = INT32_MAX,
             "A copy of the rows as they were wanted; None where offsets of 32 bits would exceed most.")
        .def_prop_ro("has_cells", [](const HeldColumn& column) {
            return has_cells(column.chunks->layout());
        }, "Whether single values are read as Python objects.")
        .def("lengths", &lengths_into, "visits"_a, "into"_a,
             "Writes how long the list or text of each row is, as int64.")
        .def("copy_parts", &copy_parts, "visits"_a, "starts"_a, "lengths"_a, "into"_a,
             "Copies values starts to starts + lengths of each row, end to end, into memory.");
    m.def(
        "column_of",
        [](std::vector<std::pair<nb::object, nb::object>> capsules) -> std::optional<HeldColumn> {
            std::optional<ColumnChunks> chunks = chunks_of(capsules);
            if (!chunks) return std::nullopt;
            return HeldColumn{std::move(chunks), std::move(capsules)};
        },
        "capsules"_a, "The column in these chunks of Arrow, or None where it has another type.");
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "Bytes of text files looked at; headway.data.formats is the way in.";
    m.def(
        "is_text",
        [](const nb::object& text) {
            return with_text(text, is_clean_utf8);
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
        "count_feeds",
        [](const nb::object& text) {
            return with_text(text, [](std::string_view bytes) { return count_byte(bytes, '\n'); });
        },
        "text"_a, "The number of line feeds.");
    nb::class_<Taken>(m, "Taken", "Rows or values; any Arrow library takes them over.")
        .def(
            "__arrow_c_array__", [](Taken& taken, const nb::object&) { return taken.capsules(); },
            "requested_schema"_a = nb::none());
    m.def(
        "read_json_lines",
        [](const nb::object& lines) -> std::optional<Taken> {
            std::optional<JsonTable> table = with_text(lines, read_json_lines);
            if (!table) return std::nullopt;
            Taken rows;
            export_table(std::move(*table), &rows.schema, &rows.array);
            return rows;
        },
        "lines"_a, "The rows of lines that are plain objects, or None.");
    m.def(
        "read_cells",
        [](const nb::object& text, char delimiter, bool quoting,
           size_t columns) -> std::optional<Taken> {
            auto cells = with_text(text, [=](std::string_view bytes) {
                return read_cells(bytes, delimiter, quoting, columns);
            });
            if (!cells) return std::nullopt;
            Taken taken;
            export_cells(std::move(*cells), &taken.schema, &taken.array);
            return taken;
        },
        "text"_a, "delimiter"_a, nb::kw_only(), "quoting"_a, "columns"_a,
        "The cells of whole records as texts f0, f1, ..., or None where one is not as it should be.");
    bind_gather(m);
}
