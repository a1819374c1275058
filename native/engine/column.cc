#include "engine/column.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace headway {

namespace {

constexpr int64_t kFewestBytes = 1 << 17, kMostBytes = 1 << 21;  // of text that one thread takes

// Neighbouring rows of one chunk, which one thread encodes.
struct Block {
    const TextChunk* chunk;
    int64_t first, end;  // rows of the chunk
    int64_t row;         // number of the first one in the column
    std::vector<uint32_t> counts = {};
    size_t size = 0;     // tokens
    size_t place = 0;    // of its first token in the column
    bool encoded = false;
    ColumnFailure failure = {};
};

std::vector<Block> cut(const std::vector<TextChunk>& chunks, int64_t block_bytes) {
    std::vector<Block> blocks;
    int64_t row = 0;
    for (const TextChunk& chunk : chunks) {
        for (int64_t first = 0; first < chunk.length;) {
            int64_t end = first + 1;
            const int64_t limit = chunk.border(first) + block_bytes;
            while (end < chunk.length && chunk.border(end) < limit) ++end;
            blocks.push_back({&chunk, first, end, row + first});
            first = end;
        }
        row += chunk.length;
    }
    return blocks;
}

// Small enough that no thread is left with much at the end. Large enough that two threads seldom
// copy into the same page of memory, which both would have to be given.
int64_t block_size(int64_t bytes, unsigned threads) {
    return std::clamp(bytes / (16 * int64_t(std::max(threads, 1u))), kFewestBytes, kMostBytes);
}

// Tokens that stand for no text: they have no word, which is shown as -1.
void push_all(const std::vector<uint32_t>& ids, Tokens& tokens) {
    tokens.word = UINT32_MAX;
    for (const uint32_t id : ids) tokens.push(id, 0, 0);
}

void encode_block(const Engine& engine, const Around& around, Worker& worker, Block& block) {
    Tokens& tokens = worker.tokens;
    const size_t start = tokens.ids.size();
    block.counts.reserve(size_t(block.end - block.first));
    for (int64_t row = block.first; row < block.end; ++row) {
        const size_t before = tokens.ids.size();
        if (block.chunk->is_valid(row)) {
            push_all(around.before, tokens);
            Failure failure = engine.encode(block.chunk->text(row), worker, tokens);
            if (failure) {
                block.failure = {std::move(failure), block.row + row - block.first};
                return;
            }
            push_all(around.behind, tokens);
        }
        block.counts.push_back(uint32_t(tokens.ids.size() - before));
    }
    block.size = tokens.ids.size() - start;
}

// The workers of one call, a thread each.
class Crew {
   public:
    Crew(const Engine& engine, unsigned threads, Wanted wanted) : engine_(engine) {
        for (unsigned i = 0; i < threads; ++i) {
            workers_.push_back(engine.take_worker());
            workers_.back()->tokens.clear();
            workers_.back()->tokens.wanted = wanted;
        }
    }
    ~Crew() {
        for (auto& worker : workers_) {
            worker->tokens = Tokens{};
            engine_.give_back(std::move(worker));
        }
    }

    Worker& operator[](size_t thread) { return *workers_[thread]; }

   private:
    const Engine& engine_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

// Runs `task` for the numbers 0 to count - 1 on some threads, and tells it on which; `task` gives up
// by returning false.
template <class Task>
void in_parallel(size_t threads, size_t count, const Task& task) {
    std::atomic<size_t> next = 0;
    std::atomic<bool> stopped = false;
    const auto run = [&](size_t thread) {
        for (size_t i; !stopped && (i = next++) < count;) {
            if (!task(i, thread)) stopped = true;
        }
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run, i);
    run(0);
    for (std::thread& thread : others) thread.join();
}

void copy(const Buffer<uint32_t>& from, size_t start, size_t size, Buffer<uint32_t>& to, size_t at) {
    if (size && from.size()) {
        std::memcpy(to.data() + at, from.data() + start, size * sizeof(uint32_t));
    }
}

// Puts the blocks' tokens one behind the other while threads encode them in any order: a block has
// its place as soon as all before it are encoded. Until then its tokens wait with its worker, whose
// memory stays small and is used again, since touching new memory is dear.
class Joiner {
   public:
    Joiner(std::vector<Block>& blocks, unsigned threads, Tokens& out)
        : blocks_(blocks), out_(out), waiting_(threads) {}

    // Block `number`, the last one that this worker has written, is encoded.
    void add(size_t number, size_t thread, Worker& worker) {
        waiting_[thread].push_back(number);
        {
            const std::lock_guard lock(placing_);
            blocks_[number].encoded = true;
            size_t next = placed_;
            for (; next < blocks_.size() && blocks_[next].encoded; ++next) place(blocks_[next]);
            placed_ = next;
        }
        copy_placed(thread, worker);
    }

    // Copies the blocks of a worker that wait, if they have their places.
    void copy_placed(size_t thread, Worker& worker) {
        std::vector<size_t>& waiting = waiting_[thread];
        const size_t placed = placed_;
        // All or none: its tokens begin with the first block that waits.
        if (waiting.empty() || waiting.back() >= placed) return;
        const std::shared_lock lock(growing_);
        size_t start = 0;
        for (const size_t number : waiting) {
            const Block& block = blocks_[number];
            copy(worker.tokens.ids, start, block.size, out_.ids, block.place);
            copy(worker.tokens.starts, start, block.size, out_.starts, block.place);
            copy(worker.tokens.ends, start, block.size, out_.ends, block.place);
            copy(worker.tokens.words, start, block.size, out_.words, block.place);
            start += block.size;
        }
        waiting.clear();
        worker.tokens.clear();
    }

   private:
    void place(Block& block) {
        block.place = out_.ids.size();
        if (!out_.has_room(block.size)) {
            const std::unique_lock lock(growing_);
            out_.reserve_more(block.size);
        }
        out_.advance(block.size);
    }

    std::vector<Block>& blocks_;
    Tokens& out_;
    std::vector<std::vector<size_t>> waiting_;  // numbers of blocks, of each worker
    std::mutex placing_;
    std::shared_mutex growing_;       // held shared while blocks are copied
    std::atomic<size_t> placed_ = 0;  // how many blocks have their place
};

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
    int64_t bytes = 0;
    for (const TextChunk& chunk : chunks) {
        if (chunk.length) bytes += chunk.border(chunk.length) - chunk.border(0);
    }
    std::vector<Block> blocks = cut(chunks, block_size(bytes, threads));
    // A thread for less than a block would take longer to start than to run.
    const auto most = unsigned(std::max<size_t>(1, std::min<size_t>(threads, blocks.size())));
    Crew crew(engine, most, wanted);
    Tokens& tokens = most == 1 ? crew[0].tokens : out.tokens;
    tokens.wanted = wanted;
    // More than there will be; memory that is not written to costs nothing.
    tokens.reserve_more(size_t(bytes) / 2 + 64);
    Joiner joiner(blocks, most, out.tokens);
    in_parallel(most, blocks.size(), [&](size_t i, size_t thread) {
        encode_block(engine, around, crew[thread], blocks[i]);
        if (blocks[i].failure) return false;
        if (most > 1) joiner.add(i, thread, crew[thread]);
        return true;
    });
    uint64_t total = 0;
    for (Block& block : blocks) {
        // Blocks before the first failing one have all been taken, whatever threads did meanwhile.
        if (block.failure) return std::move(block.failure);
        total += block.size;
    }
    if (total > INT32_MAX) return {{Failure::kTooLong, size_t(total), {}}, -1};
    for (unsigned thread = 0; most > 1 && thread < most; ++thread) {
        joiner.copy_placed(thread, crew[thread]);
    }
    if (most == 1) out.tokens = std::move(crew[0].tokens);
    write_rows(blocks, chunks, out);
    return {};
}

}  // namespace headway
