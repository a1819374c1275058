#include "data/gather.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include "engine/memory.h"

namespace headway {

namespace {

using Kind = Layout::Kind;

// So many rows ahead memory is asked for, which then comes while others are copied.
constexpr size_t kAhead = 32;
constexpr size_t kLine = 64;  // bytes that come at once
// Of so many rows ahead all lines are asked for, but no more than the processor can wait for.
constexpr size_t kNear = 4, kFetched = 2048;
constexpr int64_t kBuckets = 1024;  // of rows that are near each other

size_t width_of(std::string_view format) {
    if (format.size() == 1) {
        switch (format[0]) {
            case 'c': case 'C':
                return 1;
            case 's': case 'S': case 'e':
                return 2;
            case 'i': case 'I': case 'f':
                return 4;
            case 'l': case 'L': case 'g':
                return 8;
            default:
                return 0;
        }
    }
    if (format == "tdD" || format.substr(0, 2) == "tt") {
        return format == "tdD" || format == "tts" || format == "ttm" ? 4 : 8;
    }
    return format == "tdm" || format.substr(0, 2) == "ts" || format.substr(0, 2) == "tD" ? 8 : 0;
}

bool bit(const uint8_t* bits, size_t at) { return bits[at / 8] >> at % 8 & 1; }

void set_bit(uint8_t* bits, size_t at) { bits[at / 8] |= uint8_t(1 << at % 8); }

char* take(size_t size, std::vector<const void*>& buffers, std::vector<OwnedBlock>& owned) {
    size_t room = size + 1;
    void* block = take_block(room);
    owned.emplace_back(block, room);
    buffers.push_back(block);
    return static_cast<char*>(block);
}

// Copies runs of bytes; `goal(number)` says where to and how many.
template <class Goal>
void copy_all(const std::vector<const char*>& from, Goal goal) {
    for (size_t i = 0; i < from.size(); ++i) {
        if (i + kAhead < from.size()) __builtin_prefetch(from[i + kAhead]);
        if (i + kNear < from.size()) {
            const size_t size = std::min(kFetched, goal(i + kNear).second);
            for (size_t at = kLine; at < size; at += kLine) {
                __builtin_prefetch(from[i + kNear] + at);
            }
        }
        const auto [to, size] = goal(i);
        if (size) std::memcpy(to, from[i], size);
    }
}

}  // namespace

std::optional<Layout> Layout::of(const ArrowSchema& schema) {
    const std::string_view format = schema.format;
    Layout layout{Kind::kFixed, width_of(format), false, false, schema.format, "", ""};
    if (layout.width) return layout;
    if (format == "b") return Layout{Kind::kBits, 0, false, false, schema.format, "", ""};
    if (format == "u" || format == "z" || format == "U" || format == "Z") {
        const bool large = format == "U" || format == "Z";
        return Layout{Kind::kRuns, 1, large, false, schema.format, "", ""};
    }
    if ((format == "+l" || format == "+L") && schema.n_children == 1) {
        const ArrowSchema& item = *schema.children[0];
        const size_t width = width_of(item.format);
        if (width) {
            return Layout{Kind::kRuns, width, format == "+L", true, schema.format, item.format,
                          item.name ? item.name : ""};
        }
    }
    return std::nullopt;
}

std::optional<ColumnChunks> ColumnChunks::of(const ArrowSchema& schema,
                                             const std::vector<const ArrowArray*>& chunks) {
    std::optional<Layout> layout = Layout::of(schema);
    if (!layout || schema.dictionary) return std::nullopt;
    ColumnChunks column(std::move(*layout));
    int64_t rows = 0;
    for (const ArrowArray* chunk : chunks) {
        if (chunk->length == 0) continue;
        Chunk view{nullptr, nullptr, nullptr, chunk->offset};
        if (chunk->null_count != 0 && chunk->buffers[0]) {
            view.valid = static_cast<const uint8_t*>(chunk->buffers[0]);
            column.any_missing_ = true;
        }
        if (column.layout_.is_list) {
            const ArrowArray& items = *chunk->children[0];
            if (items.null_count != 0 && items.buffers[0]) return std::nullopt;
            view.borders = chunk->buffers[1];
            view.values = static_cast<const char*>(items.buffers[1]) +
                          size_t(items.offset) * column.layout_.width;
        } else if (column.layout_.kind == Kind::kRuns) {
            view.borders = chunk->buffers[1];
            view.values = static_cast<const char*>(chunk->buffers[2]);
        } else {
            view.values = static_cast<const char*>(chunk->buffers[1]);
        }
        column.chunks_.push_back(view);
        column.ends_.push_back(rows += chunk->length);
    }
    return column;
}

std::optional<Visits> Visits::of(const int64_t* wanted, size_t count, int64_t rows) {
    const auto width = std::max<int64_t>(1, (rows + kBuckets - 1) / kBuckets);
    const int shift = std::bit_width(uint64_t(width - 1));
    std::vector<uint32_t> starts(kBuckets + 1);
    for (size_t i = 0; i < count; ++i) {
        if (wanted[i] < 0 || wanted[i] >= rows) return std::nullopt;
        ++starts[size_t(wanted[i] >> shift) + 1];
    }
    for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
    Visits visits;
    visits.of_rows_ = rows;
    visits.rows_.resize(count);
    visits.places_.resize(count);
    for (size_t i = 0; i < count; ++i) {
        const uint32_t at = starts[size_t(wanted[i] >> shift)]++;
        visits.rows_[at] = wanted[i];
        visits.places_[at] = uint32_t(i);
    }
    return visits;
}

template <class Visit>
void ColumnChunks::each(const Visits& visits, Visit visit) const {
    size_t chunk = 0;
    int64_t start = 0;
    for (size_t i = 0; i < visits.size(); ++i) {
        const int64_t row = visits.row(i);
        while (row >= ends_[chunk]) start = ends_[chunk++];
        while (row < start) start = --chunk ? ends_[chunk - 1] : 0;
        visit(i, chunks_[chunk], row - start + chunks_[chunk].offset);
    }
}

ColumnChunks::Cell ColumnChunks::cell(int64_t row) const {
    const size_t number = size_t(std::upper_bound(ends_.begin(), ends_.end(), row) - ends_.begin());
    const Chunk& chunk = chunks_[number];
    const auto at = size_t(row - (number ? ends_[number - 1] : 0) + chunk.offset);
    if (chunk.valid && !bit(chunk.valid, at)) return {true, nullptr, 0, false};
    if (layout_.kind == Kind::kBits) {
        return {false, nullptr, 0, bit(reinterpret_cast<const uint8_t*>(chunk.values), at)};
    }
    if (layout_.kind == Kind::kFixed) return {false, chunk.values + at * layout_.width, 1, false};
    int64_t begin, end;
    if (layout_.large) {
        begin = static_cast<const int64_t*>(chunk.borders)[at];
        end = static_cast<const int64_t*>(chunk.borders)[at + 1];
    } else {
        begin = static_cast<const int32_t*>(chunk.borders)[at];
        end = static_cast<const int32_t*>(chunk.borders)[at + 1];
    }
    const char* first = begin == end ? nullptr : chunk.values + size_t(begin) * layout_.width;
    return {false, first, end - begin, false};
}

int64_t ColumnChunks::gather_valid(const Visits& visits, std::vector<const void*>& buffers,
                                   std::vector<OwnedBlock>& owned) const {
    if (!any_missing_) {
        buffers.push_back(nullptr);
        return 0;
    }
    const size_t bytes = (visits.size() + 7) / 8;
    auto* valid = reinterpret_cast<uint8_t*>(take(bytes, buffers, owned));
    std::memset(valid, 0, bytes);
    int64_t missing = 0;
    each(visits, [&](size_t i, const Chunk& chunk, int64_t row) {
        if (chunk.valid && !bit(chunk.valid, size_t(row))) {
            ++missing;
        } else {
            set_bit(valid, visits.place(i));
        }
    });
    return missing;
}

template <size_t width>
void ColumnChunks::gather_values(const Visits& visits, char* out) const {
    std::vector<const char*> from(visits.size());
    each(visits, [&](size_t i, const Chunk& chunk, int64_t row) {
        from[i] = chunk.values + size_t(row) * width;
        __builtin_prefetch(from[i]);
        if (i >= kAhead) {
            std::memcpy(out + visits.place(i - kAhead) * width, from[i - kAhead], width);
        }
    });
    for (size_t i = from.size() - std::min(kAhead, from.size()); i < from.size(); ++i) {
        std::memcpy(out + visits.place(i) * width, from[i], width);
    }
}

template <class Border, class Found>
void ColumnChunks::each_run(const Visits& visits, Found found) const {
    const size_t count = visits.size();
    std::vector<const char*> values(count);
    std::vector<const Border*> where(count);
    const auto measure = [&](size_t i) {
        const Border begin = where[i][0], end = where[i][1];
        // No items may mean no buffer.
        found(i, begin == end ? nullptr : values[i] + size_t(begin) * layout_.width, end - begin);
    };
    each(visits, [&](size_t i, const Chunk& chunk, int64_t row) {
        where[i] = static_cast<const Border*>(chunk.borders) + row;
        values[i] = chunk.values;
        __builtin_prefetch(where[i]);
        if (i >= kAhead) measure(i - kAhead);
    });
    for (size_t i = count - std::min(kAhead, count); i < count; ++i) measure(i);
}

template <class Found>
void ColumnChunks::each_run(const Visits& visits, Found found) const {
    if (layout_.large) {
        each_run<int64_t>(visits, found);
    } else {
        each_run<int32_t>(visits, found);
    }
}

template <class Border>
bool ColumnChunks::gather_runs(const Visits& visits, int64_t most,
                               std::vector<const void*>& buffers, std::vector<OwnedBlock>& owned,
                               int64_t& items) const {
    const size_t count = visits.size(), width = layout_.width;
    std::vector<const char*> from(count);
    auto* borders = reinterpret_cast<Border*>(take((count + 1) * sizeof(Border), buffers, owned));
    each_run<Border>(visits, [&](size_t i, const char* first, Border length) {
        from[i] = first;
        borders[visits.place(i) + 1] = length;
    });
    borders[0] = 0;
    items = 0;
    for (size_t i = 1; i <= count; ++i) {
        items += borders[i];
        if (items > std::numeric_limits<Border>::max() || items > most) return false;
        borders[i] = Border(items);
    }
    char* out = take(size_t(items) * width, buffers, owned);
    copy_all(from, [&](size_t i) {
        const Border begin = borders[visits.place(i)], end = borders[visits.place(i) + 1];
        return std::pair(out + size_t(begin) * width, size_t(end - begin) * width);
    });
    return true;
}

bool ColumnChunks::lengths(const Visits& visits, int64_t* out) const {
    if (layout_.kind != Kind::kRuns) return false;
    each_run(visits, [&](size_t i, const char*, int64_t length) { out[visits.place(i)] = length; });
    return true;
}

bool ColumnChunks::copy_parts(const Visits& visits, const int64_t* starts, const int64_t* counts,
                              char* out, size_t size) const {
    if (layout_.kind != Kind::kRuns) return false;
    const size_t count = visits.size(), width = layout_.width;
    bool good = true;
    std::vector<const char*> from(count);
    each_run(visits, [&](size_t i, const char* first, int64_t length) {
        const int64_t start = starts[visits.place(i)], wanted = counts[visits.place(i)];
        good = good && start >= 0 && wanted >= 0 && start <= length && wanted <= length - start;
        from[i] = first ? first + size_t(start) * width : nullptr;
    });
    if (!good) return false;
    std::vector<size_t> begins(count + 1);
    for (size_t i = 0; i < count; ++i) begins[i + 1] = begins[i] + size_t(counts[i]) * width;
    if (begins[count] != size) return false;
    copy_all(from, [&](size_t i) {
        const size_t begin = begins[visits.place(i)];
        return std::pair(out + begin, begins[visits.place(i) + 1] - begin);
    });
    return true;
}

bool ColumnChunks::gather(const Visits& visits, int64_t most, ArrowSchema* schema,
                          ArrowArray* array) const {
    std::vector<const void*> buffers;
    std::vector<OwnedBlock> owned;
    const size_t count = visits.size();
    const int64_t missing = gather_valid(visits, buffers, owned);
    int64_t items = 0;
    if (layout_.kind == Kind::kRuns) {
        const bool fits =
            layout_.large ? gather_runs<int64_t>(visits, INT64_MAX, buffers, owned, items)
                          : gather_runs<int32_t>(visits, most, buffers, owned, items);
        if (!fits) {
            for (const auto& [block, size] : owned) give_block(block, size);
            return false;
        }
    } else if (layout_.kind == Kind::kBits) {
        auto* out = reinterpret_cast<uint8_t*>(take((count + 7) / 8, buffers, owned));
        std::memset(out, 0, (count + 7) / 8);
        each(visits, [&](size_t i, const Chunk& chunk, int64_t row) {
            if (bit(reinterpret_cast<const uint8_t*>(chunk.values), size_t(row))) {
                set_bit(out, visits.place(i));
            }
        });
    } else {
        char* out = take(count * layout_.width, buffers, owned);
        switch (layout_.width) {
            case 1:
                gather_values<1>(visits, out);
                break;
            case 2:
                gather_values<2>(visits, out);
                break;
            case 4:
                gather_values<4>(visits, out);
                break;
            default:
                gather_values<8>(visits, out);
        }
    }
    std::vector<ArrowSchema> item_schemas;
    std::vector<ArrowArray> item_arrays;
    if (layout_.is_list) {
        // The items lie in the last block.
        const OwnedBlock last = owned.back();
        owned.pop_back();
        buffers.pop_back();
        export_schema(&item_schemas.emplace_back(), layout_.item_format, layout_.item_name, {});
        export_array(&item_arrays.emplace_back(), items, 0, {nullptr, last.first}, {last}, {});
    }
    export_schema(schema, layout_.format, "", std::move(item_schemas));
    export_array(array, int64_t(count), missing, std::move(buffers), std::move(owned),
                 std::move(item_arrays));
    return true;
}

}  // namespace headway
