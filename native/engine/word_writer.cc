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

// Writes where the tokens of a word lie. Three are written whatever their number, which costs less
// than to ask.
inline void WordWriter::write_places(const Word& word, const WordCache::Slot& slot,
                                     uint32_t* starts, uint32_t* ends) {
    std::array<uint32_t, 3> token_ends{slot.end1, slot.end2, word.size};
    uint32_t second = slot.end1, third = slot.end2;
    if (!word.plain) [[unlikely]] {
        second = beginning(word, second);
        third = beginning(word, third);
        for (uint32_t& end : token_ends) end = characters(word.bytes, end);
    }
    starts[0] = word.head_start;
    starts[1] = word.start + second;
    starts[2] = word.start + third;
    ends[0] = token_ends[0] ? word.start + token_ends[0] : word.head_end;
    ends[1] = word.start + token_ends[1];
    ends[2] = word.start + token_ends[2];
}

// Writes the words from `number` on, up to the first that is not in the cache with all its tokens;
// gives the number of that one.
template <bool kOffsets>
size_t WordWriter::write_known(size_t number) {
    const WordCache& cache = worker_.cache;
    const size_t first = out_.ids.size();
    uint32_t* const ids = out_.ids.data();
    uint32_t* const starts = out_.starts.data();
    uint32_t* const ends = out_.ends.data();
    uint32_t* const words = out_.wanted.words ? out_.words.data() : nullptr;
    size_t at = first;
    for (; number < count_; ++number) {
        const WordCache::Slot* slot = cache.find(keys_[number], hashes_[number]);
        if (!slot || slot->count == WordCache::kFar) break;
        std::memcpy(ids + at, slot->ids, sizeof slot->ids);
        if constexpr (kOffsets) write_places(words_[number], *slot, starts + at, ends + at);
        if (words) std::fill_n(words + at, 3, out_.word++);
        at += slot->count;
    }
    out_.advance(at - first);
    return number;
}

template <bool kOffsets>
bool WordWriter::write_all() {
    out_.reserve_more(3 * kBatch);
    const auto known = [this](size_t i) { return judge_ ? i : write_known<kOffsets>(i); };
    for (size_t i = known(0); i < count_; i = known(i + 1)) {
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
            std::memcpy(out_.ids.end(), slot->ids, sizeof slot->ids);
            out_.ids.advance(slot->count);
            if constexpr (kOffsets) {
                write_places(words_[i], *slot, out_.starts.end(), out_.ends.end());
                out_.starts.advance(slot->count);
                out_.ends.advance(slot->count);
            }
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
