// Throws damaged lines at the readers of text files. Every text lies in memory of exactly its size,
// so that a sanitizer sees each byte that is read beyond it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "data/cells.h"
#include "data/json_lines.h"
#include "text/utf8.h"

using namespace headway;

namespace {

using Random = std::mt19937_64;

size_t below(Random& random, size_t count) { return random() % count; }

// Lines of objects, and now and then one byte or piece of them that does not belong.
std::string random_lines(Random& random) {
    static constexpr std::string_view kPieces[] = {
        "{\"text\":\"a long enough text that no sixteen bytes hold\",\"label\":1}\n",
        "{\"text\":\"\\u00e9\\n\\\"\\ud83d\\ude00\",\"label\":-7}\n",
        "{\"label\":2.5e3,\"text\":null}\r\n",
        "{\"label\" : 0 , \"more\":true}\n",
        "{}\n",
        "\n",
        "\"a cell\",\"another \"\"one\"\",\nof two lines\",3\r\n",
    };
    std::string text;
    for (size_t i = below(random, 12); i > 0; --i) text += kPieces[below(random, std::size(kPieces))];
    static constexpr std::string_view kBytes = "\"\\{}[]:,\n\r\t 0-.eEu\x01\xC3tfn";
    for (size_t i = below(random, 3); i > 0 && !text.empty(); --i) {
        text[below(random, text.size())] = kBytes[below(random, kBytes.size())];
    }
    text.resize(text.size() - (text.empty() ? 0 : below(random, std::min<size_t>(text.size(), 20))));
    return text;
}

bool agrees(std::string_view text) {
    const RecordEnd record = last_record_end(text, ',');
    if (record.end > last_line_end(text)) return false;
    if (count_line_ends(text) > text.size()) return false;
    if (is_clean_utf8(text) && first_invalid_utf8(text) != text.size()) return false;
    for (const bool quoting : {false, true}) {
        auto cells = read_cells(text, ',', quoting, 1 + text.size() % 3);
        if (!cells) continue;
        ArrowSchema schema;
        ArrowArray array;
        const size_t columns = cells->size();
        export_cells(std::move(*cells), &schema, &array);
        if (size_t(array.n_children) != columns) return false;
        schema.release(&schema);
        array.release(&array);
    }
    std::optional<JsonTable> table = read_json_lines(text);
    if (!table) return true;
    for (const JsonColumn& column : table->columns) {
        if (column.rows != table->rows || column.missing > column.rows) return false;
    }
    ArrowSchema schema;
    ArrowArray array;
    const size_t rows = table->rows;
    export_table(std::move(*table), &schema, &array);
    const bool same = size_t(array.length) == rows && array.n_children == schema.n_children;
    schema.release(&schema);
    array.release(&array);
    return same;
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
    Random random(argc > 2 ? uint64_t(std::atoll(argv[2])) : 0);
    const auto start = std::chrono::steady_clock::now();
    size_t texts = 0;
    while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds) {
        for (int i = 0; i < 1000; ++i, ++texts) {
            const std::string text = random_lines(random);
            const std::unique_ptr<char[]> exact(new char[text.size()]);
            std::copy(text.begin(), text.end(), exact.get());
            if (agrees({exact.get(), text.size()})) continue;
            std::printf("wrong on: %s\n", text.c_str());
            return 1;
        }
    }
    std::printf("%zu texts\n", texts);
    return 0;
}
