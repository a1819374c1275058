#include "engine/bert_path.h"

#include <algorithm>
#include <bit>

#include "engine/word_writer.h"
#include "steps/ascii_masks.h"
#include "text/characters.h"

namespace headway {

namespace {

bool tokenize(const void* model, std::string_view word, Worker& worker) {
    return static_cast<const Model*>(model)->tokenize(word, worker.pieces);
}

// Eight ASCII letters in lower case at once; other bytes stay.
uint64_t lowered(uint64_t bytes) {
    constexpr uint64_t kOnes = 0x0101010101010101u;
    const uint64_t from_a = bytes + kOnes * (128 - 'A'), behind_z = bytes + kOnes * (127 - 'Z');
    return bytes | ((from_a & ~behind_z & kOnes * 128) >> 2);
}

WordKey lowered(WordKey key) { return {lowered(key.low), lowered(key.high)}; }

}  // namespace

struct BertPath::Masks {
    uint64_t words, singles, others;  // letters of words, words by themselves, not for us
};

// Of 64 bytes; behind the text's end there are spaces.
inline BertPath::Masks BertPath::masks_at(const unsigned char* text, size_t size, size_t at) const {
    unsigned char padded[64];
    const unsigned char* bytes = text + at;
    if (at + 64 > size) {
        std::fill(std::copy(bytes, text + size, padded), padded + 64, ' ');
        bytes = padded;
    }
    const AsciiMasks is = ascii_masks(bytes);
    const uint64_t spaces = clean_text_ ? is.blanks | is.breaks : is.spaces;
    uint64_t others = is.high;
    if (clean_text_) {  // control characters are taken out
        others |= ~(is.letters | is.digits | is.punctuation | spaces);
    }
    return {~(spaces | is.punctuation | others), is.punctuation, others};
}

// One pass over a part.
struct BertPath::Run {
    const BertPath& path;
    const Part& part;
    const unsigned char* text;
    size_t size;
    uint32_t ahead;  // how many more bytes than characters there are before here
    Worker& worker;
    Tokens& out;
    WordWriter writer;

    Run(const BertPath& path, const Part& part, Worker& worker, Tokens& out)
        : path(path),
          part(part),
          text(reinterpret_cast<const unsigned char*>(part.bytes.data())),
          size(part.bytes.size()),
          ahead(0),
          worker(worker),
          out(out),
          writer(worker, out, path.model_.get(), tokenize) {}

    Masks masks_at(size_t at) const { return path.masks_at(text, size, at); }

    bool word(size_t start, size_t end) {
        const auto length = uint32_t(end - start);
        const uint32_t character = part.start + uint32_t(start) - ahead;
        Word word{text + start, length, character, character, character, true};
        if (length <= WordCache::kShort) {
            const WordKey key = WordCache::short_key_in(text, size, start, length);
            return writer.add(word, path.lowercase_ ? lowered(key) : key);
        }
        if (path.lowercase_) {
            worker.bytes.assign(part.bytes.substr(start, length));
            for (char& byte : worker.bytes) {
                byte = char(path.alias_[static_cast<unsigned char>(byte)]);
            }
            word.bytes = reinterpret_cast<const unsigned char*>(worker.bytes.data());
        }
        return writer.add_long(word);
    }

    // What is not ASCII, with the letters before and behind it; moves `at` to its end.
    bool other(size_t start, size_t& at) {
        while (at < size) {
            const Masks is = masks_at(at);
            const uint64_t stop = ~(is.words | is.others);
            at += stop ? size_t(__builtin_ctzll(stop)) : 64;
            if (stop) break;
        }
        at = std::min(at, size);
        const std::string_view bytes = part.bytes.substr(start, at - start);
        const uint32_t character = part.start + uint32_t(start) - ahead;
        ahead += uint32_t(bytes.size()) - count_characters(bytes);
        return writer.flush() && path.steps_.encode(bytes, character, worker, out);
    }

    // A word that is longer than a block, or goes on as something else.
    bool long_word(size_t start, size_t& at) {
        at = start;
        while (at < size) {
            const Masks is = masks_at(at);
            const uint64_t stop = ~is.words;
            if (stop) {
                at += size_t(__builtin_ctzll(stop));
                if (at < size && (is.others & stop & (~stop + 1))) return other(start, at);
                break;
            }
            at += 64;
        }
        at = std::min(at, size);
        return word(start, at);
    }

    bool all() {
        for (size_t at = 0; at < size;) {
            const Masks is = masks_at(at);
            uint64_t starts = (is.words & ~(is.words << 1)) | is.singles | is.others;
            size_t next = at + 64;
            for (; starts; starts &= starts - 1) {
                const int place = __builtin_ctzll(starts);
                const uint64_t bit = uint64_t(1) << place;
                next = at + size_t(place);
                if (is.singles & bit) {
                    if (!word(next, next + 1)) return false;
                    continue;
                }
                const uint64_t behind = ~is.words & ~(bit | (bit - 1));
                const bool ends_here = behind && !(is.others & behind & (~behind + 1));
                if ((is.words & bit) && ends_here) {
                    if (!word(next, at + size_t(__builtin_ctzll(behind)))) return false;
                    continue;
                }
                const size_t start = next;
                if (!(is.words & bit ? long_word(start, next) : other(start, next))) return false;
                break;
            }
            at = starts ? next : at + 64;
        }
        return writer.flush();
    }
};

BertPath::BertPath(bool clean_text, bool lowercase, RegionEncoder steps, ModelPtr model)
    : lowercase_(lowercase),
      clean_text_(clean_text),
      steps_(std::move(steps)),
      model_(std::move(model)) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool is_break = byte == '\t' || byte == '\n' || byte == '\r';
        const bool is_upper = byte >= 'A' && byte <= 'Z';
        alias_[byte] = clean_text && is_break  ? ' '
                       : lowercase && is_upper ? static_cast<unsigned char>(byte + 32)
                                               : static_cast<unsigned char>(byte);
    }
}

Outcome BertPath::encode(const Part& part, Worker& worker, Tokens& out) const {
    return Run(*this, part, worker, out).all() ? Outcome::kDone : Outcome::kUnknown;
}

// Runs of letters and others that have one of the latter.
bool BertPath::find_regions(const Part& part, std::vector<Region>& regions) const {
    if (part.ascii && (!clean_text_ || is_usual(part.bytes))) return true;
    const auto* text = reinterpret_cast<const unsigned char*>(part.bytes.data());
    const size_t size = part.bytes.size();
    constexpr size_t kNone = SIZE_MAX;
    size_t start = kNone;  // of the run that is open
    bool has_other = false;
    for (size_t at = 0; at < size; at += 64) {
        const Masks is = masks_at(text, size, at);
        const uint64_t inside = is.words | is.others;
        if (!is.others && !has_other) [[likely]] {
            const int last = std::countl_one(inside);  // letters at the block's end
            if (last == 0) start = kNone;
            else if (last < 64 || start == kNone) start = at + size_t(64 - last);
            continue;
        }
        for (int place = 0; place < 64;) {
            if (start == kNone) {
                const uint64_t ahead = inside >> place;
                if (!ahead) break;
                place += std::countr_zero(ahead);
                start = at + size_t(place);
            }
            const uint64_t outside = ~inside >> place;
            const int end = outside ? place + std::countr_zero(outside) : 64;
            const uint64_t before_end = end == 64 ? ~uint64_t(0) : (uint64_t(1) << end) - 1;
            has_other |= (is.others & before_end) >> place != 0;
            if (end == 64) break;
            if (has_other) regions.push_back({start, at + size_t(end)});
            start = kNone;
            has_other = false;
            place = end;
        }
    }
    if (has_other) regions.push_back({start, size});
    return true;
}

}  // namespace headway
