#include "engine/word_writer.h"

#include <algorithm>
#include <cstring>

#include "text/characters.h"

namespace headway {

namespace {

uint32_t characters(const unsigned char* bytes, uint32_t size) {
    return count_characters({reinterpret_cast<const char*>(bytes), size});
}

// The character that byte `at` of a word belongs to, or their number behind the last byte.
uint32_t beginning(const Word& word, uint32_t at) {
    return at == word.size ? characters(word.bytes, at) : characters(word.bytes, at + 1) - 1;
}

// A short key is the word, with its length behind.
std::string_view key_bytes(const WordKey& key, unsigned char (&bytes)[16]) {
    std::memcpy(bytes, &key, sizeof bytes);
    return {reinterpret_cast<const char*>(bytes), bytes[15]};
}

// Ids, and behind them where each token ends.
void take_pieces(const std::vector<Piece>& pieces, std::vector<uint32_t>& numbers) {
    const size_t count = pieces.size();
    numbers.resize(2 * count);
    for (size_t i = 0; i < count; ++i) {
        numbers[i] = pieces[i].id;
        numbers[count + i] = pieces[i].end;
    }
}

}  // namespace

bool WordWriter::flush() {
    if (count_ == 0) return true;
    const bool done = out_.wanted.offsets ? write_all<true>() : write_all<false>();
    count_ = 0;
    return done;
}

// Three tokens are written whatever their number, which costs less than to ask.
template <bool kOffsets>
inline void WordWriter::write_slot(const Word& word, const WordCache::Slot& slot) {
    std::memcpy(out_.ids.end(), slot.ids, sizeof slot.ids);
    out_.ids.advance(slot.count);
    if constexpr (kOffsets) {
        const uint32_t end1 = slot.end1, end2 = slot.end2;
        if (word.plain) [[likely]] {
            write_places(word, {end1, end2, word.size}, end1, end2, slot.count);
        } else {
            const uint32_t size = characters(word.bytes, word.size);
            write_places(word, {characters(word.bytes, end1), characters(word.bytes, end2), size},
                         beginning(word, end1), beginning(word, end2), slot.count);
        }
    }
}

// `ends`, `second` and `third` are where tokens end and begin, in characters of the word.
inline void WordWriter::write_places(const Word& word, std::array<uint32_t, 3> tokens_end,
                                     uint32_t second, uint32_t third, size_t count) {
    uint32_t* starts = out_.starts.end();
    uint32_t* ends = out_.ends.end();
    starts[0] = word.head_start;
    starts[1] = word.start + second;
    starts[2] = word.start + third;
    ends[0] = tokens_end[0] ? word.start + tokens_end[0] : word.head_end;
    ends[1] = word.start + tokens_end[1];
    ends[2] = word.start + tokens_end[2];
    out_.starts.advance(count);
    out_.ends.advance(count);
}

template <bool kOffsets>
bool WordWriter::write_all() {
    out_.reserve_more(3 * kBatch);
    for (size_t i = 0; i < count_; ++i) {
        const WordCache::Slot* slot = worker_.cache.find(keys_[i], hashes_[i]);
        if (!slot) {
            slot = look_up(i);
            if (!slot) return false;
        }
        const size_t first = out_.ids.size();
        if (judge_ && !holds(*slot, uint32_t(keys_[i].high >> 56))) {
            unsigned char bytes[16];
            write_decided(words_[i], key_bytes(keys_[i], bytes));
        } else if (slot->count == WordCache::kFar) {
            const uint32_t* ids = worker_.cache.far(*slot);
            const uint32_t count = worker_.cache.far_count(*slot);
            write_many(words_[i], ids, ids + count, count);
        } else {
            write_slot<kOffsets>(words_[i], *slot);
        }
        if (out_.wanted.words) write_words(first);
        if (out_.ids.size() - first > 3) out_.reserve_more(3 * kBatch);
    }
    return true;
}

void WordWriter::write_many(const Word& word, const uint32_t* ids, const uint32_t* ends,
                            size_t count) {
    out_.reserve_more(count + 3);
    if (count) std::memcpy(out_.ids.end(), ids, count * sizeof *ids);
    out_.ids.advance(count);
    if (!out_.wanted.offsets) return;
    uint32_t start = 0, character = 0;
    for (size_t i = 0; i < count; ++i) {
        // A token may end inside of a character, which then belongs to the next one too.
        uint32_t end = ends[i];
        if (!word.plain) end = character + characters(word.bytes + start, end - start);
        const bool at_head = i == 0 || ends[i] == 0;
        const uint32_t from = at_head ? word.head_start : word.start + character;
        const bool cut = !word.plain && start < word.size && is_continuation(word.bytes[start]);
        out_.starts.push(cut ? from - 1 : from);
        out_.ends.push(ends[i] ? word.start + end : word.head_end);
        start = ends[i];
        character = end;
    }
}

void WordWriter::write_words(size_t first) {
    const size_t count = out_.ids.size() - first;
    if (count <= 3) [[likely]] {  // as in write_slot
        for (size_t i = 0; i < 3; ++i) out_.words.end()[i] = out_.word;
    } else {
        std::fill_n(out_.words.end(), count, out_.word);
    }
    out_.words.advance(count);
    ++out_.word;
}

// The tokens of a new word; null where it has none.
const WordCache::Slot* WordWriter::look_up(size_t number) {
    unsigned char bytes[16];
    worker_.sureness = 0;
    if (!ask(key_bytes(keys_[number], bytes))) return nullptr;
    return worker_.cache.add(keys_[number], hashes_[number], worker_.pieces, worker_.sureness);
}

bool WordWriter::holds(const WordCache::Slot& slot, uint32_t size) {
    const bool far = slot.count == WordCache::kFar;
    return judge_->accept(far ? worker_.cache.far(slot) : slot.ids,
                          far ? worker_.cache.far_count(slot) : slot.count, size, slot.sureness);
}

// A word whose tokens are decided where it stands.
void WordWriter::write_decided(const Word& word, std::string_view bytes) {
    worker_.pieces.clear();
    judge_->decide(bytes, worker_.pieces);
    take_pieces(worker_.pieces, worker_.numbers);
    const size_t count = worker_.pieces.size();
    write_many(word, worker_.numbers.data(), worker_.numbers.data() + count, count);
}

bool WordWriter::ask(std::string_view word) {
    worker_.pieces.clear();
    if (tokenize_(model_, word, worker_)) return true;
    const Piece& bad = worker_.pieces.back();
    worker_.unknown.assign(word.substr(bad.start, bad.end - bad.start));
    return false;
}

bool WordWriter::write_long(const Word& word) {
    const std::string_view bytes(reinterpret_cast<const char*>(word.bytes), word.size);
    constexpr size_t kKept = 256;  // bytes up to which a word is worth remembering
    const WordKey key = WordCache::long_key(bytes);
    const uint64_t hash = key.hash();
    const size_t first = out_.ids.size();
    if (judge_) {
        write_decided(word, bytes);
        if (out_.wanted.words) write_words(first);
        return true;
    }
    size_t count = 0;
    const uint32_t* known = nullptr;
    if (word.size <= kKept) known = worker_.cache.find_far(bytes, key, hash, count);
    std::vector<uint32_t>& values = worker_.numbers;
    if (!known) {
        if (!ask(bytes)) return false;
        take_pieces(worker_.pieces, values);
        if (word.size <= kKept) worker_.cache.keep(bytes, key, hash, values.data(), values.size());
        known = values.data();
        count = values.size();
    }
    write_many(word, known, known + count / 2, count / 2);
    if (out_.wanted.words) write_words(first);
    return true;
}

}  // namespace headway
