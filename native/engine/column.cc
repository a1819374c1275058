#include "engine/column.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

namespace headway {

namespace {

constexpr int64_t kBlockBytes = 1 << 19;  // text that one thread takes at a time

// Neighbouring rows of one chunk, which one thread encodes.
struct Block {
    const TextChunk* chunk;
    int64_t first, end;  // rows of the chunk
    int64_t row;         // number of the first one in the column
    std::vector<uint32_t> counts;
    Tokens tokens;
    ColumnFailure failure;
};

std::vector<Block> cut(const std::vector<TextChunk>& chunks, int64_t block_bytes, Wanted wanted) {
    std::vector<Block> blocks;
    int64_t row = 0;
    for (const TextChunk& chunk : chunks) {
        for (int64_t first = 0; first < chunk.length;) {
            int64_t end = first + 1;
            const int64_t limit = chunk.border(first) + block_bytes;
            while (end < chunk.length && chunk.border(end) < limit) ++end;
            blocks.push_back({&chunk, first, end, row + first, {}, {}, {}});
            blocks.back().tokens.wanted = wanted;
            first = end;
        }
        row += chunk.length;
    }
    return blocks;
}

// Tokens that stand for no text: they have no word, which is shown as -1.
void push_all(const std::vector<uint32_t>& ids, Tokens& tokens) {
    tokens.word = UINT32_MAX;
    for (const uint32_t id : ids) tokens.push(id, 0, 0);
}

void encode_block(const Engine& engine, const Around& around, Worker& worker, Block& block) {
    block.counts.reserve(size_t(block.end - block.first));
    // More than there will be; memory that is not written to costs nothing.
    const int64_t bytes = block.chunk->border(block.end) - block.chunk->border(block.first);
    block.tokens.reserve_more(size_t(bytes / 2 + 64));
    for (int64_t row = block.first; row < block.end; ++row) {
        const size_t before = block.tokens.ids.size();
        if (block.chunk->is_valid(row)) {
            push_all(around.before, block.tokens);
            Failure failure = engine.encode(block.chunk->text(row), worker, block.tokens);
            if (failure) {
                block.failure = {std::move(failure), block.row + row - block.first};
                return;
            }
            push_all(around.behind, block.tokens);
        }
        block.counts.push_back(uint32_t(block.tokens.ids.size() - before));
    }
}

// Runs `task` for the numbers 0 to count - 1 on some threads; `task` gives up by returning false.
template <class Task>
void in_parallel(unsigned threads, size_t count, const Task& task) {
    std::atomic<size_t> next = 0;
    std::atomic<bool> stopped = false;
    const auto run = [&] {
        for (size_t i; !stopped && (i = next++) < count;) {
            if (!task(i)) stopped = true;
        }
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < std::min<size_t>(threads, count); ++i) others.emplace_back(run);
    run();
    for (std::thread& thread : others) thread.join();
}

void append(Buffer<uint32_t>& whole, size_t at, const Buffer<uint32_t>& part) {
    if (part.size()) std::memcpy(whole.data() + at, part.data(), part.size() * sizeof(uint32_t));
}

void join(std::vector<Block>& blocks, Wanted wanted, unsigned threads, Tokens& out) {
    if (blocks.size() == 1) {
        out = std::move(blocks[0].tokens);
        out.give_back_room();
        return;
    }
    std::vector<size_t> starts;
    size_t total = 0;
    for (const Block& block : blocks) {
        starts.push_back(total);
        total += block.tokens.ids.size();
    }
    out.wanted = wanted;
    out.reserve_more(total);
    out.ids.advance(total);
    if (wanted.offsets) {
        out.starts.advance(total);
        out.ends.advance(total);
    }
    if (wanted.words) out.words.advance(total);
    in_parallel(threads, blocks.size(), [&](size_t i) {
        Tokens part = std::move(blocks[i].tokens);  // freed as soon as it is copied
        append(out.ids, starts[i], part.ids);
        append(out.starts, starts[i], part.starts);
        append(out.ends, starts[i], part.ends);
        append(out.words, starts[i], part.words);
        return true;
    });
}

void write_rows(const std::vector<Block>& blocks, const std::vector<TextChunk>& chunks,
                EncodedColumn& out) {
    for (const TextChunk& chunk : chunks) out.rows += chunk.length;
    out.borders.reserve_more(size_t(out.rows) + 1);
    uint32_t border = 0;
    out.borders.push(0);
    for (const Block& block : blocks) {
        for (const uint32_t count : block.counts) out.borders.push(int32_t(border += count));
    }
    const bool has_validity = std::any_of(chunks.begin(), chunks.end(),
                                          [](const TextChunk& chunk) { return chunk.valid; });
    if (!has_validity) return;
    out.valid.assign(size_t(out.rows + 7) / 8, 0);
    int64_t at = 0;
    for (const TextChunk& chunk : chunks) {
        for (int64_t row = 0; row < chunk.length; ++row, ++at) {
            if (chunk.is_valid(row)) {
                out.valid[size_t(at >> 3)] |= uint8_t(1 << (at & 7));
            } else {
                ++out.nulls;
            }
        }
    }
}

}  // namespace

ColumnFailure encode_column(const Engine& engine, const std::vector<TextChunk>& chunks,
                            const Around& around, Wanted wanted, unsigned threads,
                            EncodedColumn& out) {
    threads = std::max(threads, 1u);
    std::vector<Block> blocks = cut(chunks, threads == 1 ? INT64_MAX / 2 : kBlockBytes, wanted);
    in_parallel(threads, blocks.size(), [&](size_t i) {
        std::unique_ptr<Worker> worker = engine.take_worker();
        encode_block(engine, around, *worker, blocks[i]);
        engine.give_back(std::move(worker));
        return !blocks[i].failure;
    });
    uint64_t total = 0;
    for (Block& block : blocks) {
        // The first failing row of those that were reached, whatever the threads did meanwhile.
        if (block.failure) return std::move(block.failure);
        total += block.tokens.ids.size();
    }
    if (total > INT32_MAX) return {{Failure::kTooLong, size_t(total), {}}, -1};
    write_rows(blocks, chunks, out);
    join(blocks, wanted, threads, out.tokens);
    return {};
}

}  // namespace headway
