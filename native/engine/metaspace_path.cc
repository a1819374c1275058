#include "engine/metaspace_path.h"

#include <algorithm>
#include <cmath>

#include "engine/word_writer.h"
#include "text/characters.h"
#include "unicode/classes.h"

namespace headway {

namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581
constexpr char32_t kMarkCode = 0x2581;

std::string_view marked(std::string_view word) {
    thread_local std::string bytes;
    bytes.assign(kMark).append(word);
    return bytes;
}

// Tokens of a word with its mark end where they end in the word itself.
void take_mark_off(std::vector<Piece>& pieces) {
    const auto unmarked = [](uint32_t place) {
        return place - std::min<uint32_t>(place, kMark.size());
    };
    for (Piece& piece : pieces) piece = {piece.id, unmarked(piece.start), unmarked(piece.end)};
}

bool tokenize(const void* model, std::string_view word, Worker& worker) {
    const bool fine = static_cast<const Model*>(model)->tokenize(marked(word), worker.pieces);
    take_mark_off(worker.pieces);
    return fine;
}

bool tokenize_anywhere(const void* model, std::string_view word, Worker& worker) {
    const auto* unigram = static_cast<const SpmUnigram*>(model);
    const double margin = unigram->tokenize_anywhere(marked(word), worker.pieces);
    take_mark_off(worker.pieces);
    // The power of two below it, so that a byte holds it; 0 = not sure at all.
    worker.sureness = margin > 0x1p-60 ? uint8_t(std::min(200, std::ilogb(margin) + 64)) : 0;
    return true;
}

// SentencePiece adds up scores in 32 bits over a whole text, so that rounding can decide between
// cuts that are nearly alike; such words are cut again where they stand.
class AddedUp : public WordJudge {
   public:
    explicit AddedUp(const SpmUnigram* model) : model_(model) {}

    bool accept(const uint32_t* ids, size_t count, uint32_t size, uint8_t sureness) override {
        const double margin = sureness ? std::ldexp(1.0, sureness - 64) : 0.0;
        return model_->add_up(ids, count, size + kMark.size(), margin, score_);
    }
    void decide(std::string_view word, std::vector<Piece>& tokens) override {
        model_->tokenize_word(marked(word), score_, tokens);
        take_mark_off(tokens);
    }

   private:
    const SpmUnigram* model_;
    float score_ = 0;
};

}  // namespace

// One pass over a part.
struct MetaspacePath::Run {
    const MetaspacePath& path;
    const Part& part;
    const unsigned char* text;
    size_t size;
    uint32_t ahead = 0;  // how many more bytes than characters there are before here
    bool after_space = false;
    uint32_t space = 0;  // the character that the next mark stands for then
    Worker& worker;
    Tokens& out;
    AddedUp added_up;
    WordWriter writer;
    bool at_beginning = true;  // no word yet

    Run(const MetaspacePath& path, const Part& part, Worker& worker, Tokens& out)
        : path(path),
          part(part),
          text(reinterpret_cast<const unsigned char*>(part.bytes.data())),
          size(part.bytes.size()),
          worker(worker),
          out(out),
          added_up(path.whole_text_.get()),
          writer(path.whole_text_ ? WordWriter(worker, out, path.whole_text_.get(),
                                               tokenize_anywhere, &added_up)
                                  : WordWriter(worker, out, path.model_.get(), tokenize)) {}

    uint32_t character(size_t at) const { return part.start + uint32_t(at) - ahead; }

    bool space_separates() const {
        return path.options_.mark != MetaspaceOptions::kFirstCharacter;
    }

    void saw_space(uint32_t place) {
        // Spaces before the first word are taken off, and a mark is put before that word.
        if (!space_separates() || at_beginning) return;
        if (after_space && path.options_.mark == MetaspaceOptions::kFirstSpace) return;
        after_space = true;
        space = place;
    }

    // The characters that the mark before a word stands for.
    Span take_head(Span first) {
        const Span head = after_space ? Span{space, space + 1} : first;
        after_space = at_beginning = false;
        return head;
    }

    bool word(size_t start, size_t end) {
        const auto length = uint32_t(end - start);
        const uint32_t first = character(start);
        const Span head = take_head({first, first + 1});
        Word word{text + start, length, first, head.first, head.second, true};
        if (length <= WordCache::kShort && !path.exchanges_) {
            return writer.add(word, WordCache::short_key_in(text, size, start, length));
        }
        worker.bytes.assign(part.bytes.substr(start, length));
        for (char& byte : worker.bytes) byte = char(path.alias_[static_cast<unsigned char>(byte)]);
        word.bytes = reinterpret_cast<const unsigned char*>(worker.bytes.data());
        if (length > WordCache::kShort) return writer.add_long(word);
        return writer.add(word, WordCache::short_key_at_end(word.bytes, length));
    }

    // Such a stretch, from the space before it on.
    bool slow(size_t start, size_t end) {
        if (!writer.flush()) return false;
        const std::string_view bytes = part.bytes.substr(start, end - start);
        AlignedText stretch(decode_utf8(bytes), character(start));
        ahead += uint32_t(bytes.size() - stretch.text.size());
        if (path.options_.normalizer) path.options_.normalizer->apply(stretch);
        const std::u32string& letters = stretch.text;
        const auto separates = [&](char32_t code) {
            return space_separates() ? code == ' ' : is_space(code);
        };
        for (uint32_t at = 0; at < letters.size();) {
            if (separates(letters[at])) {
                saw_space(stretch.span(at, at + 1).first);
                ++at;
                continue;
            }
            const uint32_t first = at;
            while (at < letters.size() && !separates(letters[at])) ++at;
            if (!aligned_word(stretch.slice(first, at))) return false;
        }
        return true;
    }

    bool aligned_word(const AlignedText& letters) {
        const std::string bytes = encode_utf8(letters.text);
        worker.pieces.clear();
        if (path.whole_text_) {
            added_up.decide(bytes, worker.pieces);
        } else if (!tokenize(path.model_.get(), bytes, worker)) {
            const Piece& bad = worker.pieces.back();
            worker.unknown = bytes.substr(bad.start, bad.end - bad.start);
            return false;
        }
        number_characters(bytes, worker.characters);
        const Span head = take_head(letters.span(0, 1));
        for (const Piece& token : worker.pieces) {
            const bool is_mark = token.end == 0;
            const uint32_t from = is_mark ? 0 : worker.characters[token.start];
            const uint32_t to = is_mark ? 1 : worker.characters[token.end - 1] + 1;
            const Span span = letters.span(from, to);
            // Several tokens may stand for the mark, as its bytes.
            const bool at_head = is_mark || &token == worker.pieces.data();
            out.push(token.id, at_head ? head.first : span.first, is_mark ? head.second : span.second);
        }
        ++out.word;
        return true;
    }

    bool all() {
        for (size_t at = 0; at < size;) {
            const Kind kind = path.kinds_[text[at]];
            if (kind == kSpace && (at + 1 == size || path.kinds_[text[at + 1]] != kSlow)) {
                saw_space(character(at));
                ++at;
                continue;
            }
            size_t end = at;
            while (end < size && path.kinds_[text[end]] == kPlain) ++end;
            if (end == size || path.kinds_[text[end]] == kSpace) {
                if (end > at) {
                    if (!word(at, end)) return false;
                    at = end;
                    continue;
                }
            }
            end = path.slow_end(text, size, end + (end == at && kind == kSpace));
            if (!slow(at, end)) return false;
            at = end;
        }
        return writer.flush();
    }
};

MetaspacePath::MetaspacePath(MetaspaceOptions options, ModelPtr model)
    : options_(std::move(options)), model_(std::move(model)) {
    learn_ascii();
}

MetaspacePath::MetaspacePath(MetaspaceOptions options, std::shared_ptr<const SpmUnigram> model)
    : options_(std::move(options)), model_(model), whole_text_(std::move(model)) {
    learn_ascii();
}

void MetaspacePath::learn_ascii() {
    const bool any_space = options_.mark == MetaspaceOptions::kFirstCharacter;
    for (unsigned byte = 0; byte < 256; ++byte) {
        alias_[byte] = static_cast<unsigned char>(byte);
        kinds_[byte] = kSlow;
        if (byte >= 128 || options_.contextual.find(char(byte)) != std::string::npos) continue;
        AlignedText text(std::u32string(1, byte));
        if (options_.normalizer) options_.normalizer->apply(text);
        if (text.text.size() != 1 || text.text[0] >= 0x7F) continue;
        const auto code = static_cast<unsigned char>(text.text[0]);
        if (code < ' ' && !(is_space(code) && any_space)) continue;
        if (byte == '\r') continue;  // with \n behind it, it is one cluster
        alias_[byte] = code;
        kinds_[byte] = code == ' ' || (is_space(code) && any_space) ? kSpace : kPlain;
        if (kinds_[byte] == kPlain && code != byte) exchanges_ = true;
    }
    for (unsigned byte = 0; byte < 128; ++byte) {
        if (is_usual(static_cast<unsigned char>(byte))) usual_is_plain_ &= kinds_[byte] != kSlow;
    }
}

Outcome MetaspacePath::encode(const Part& part, Worker& worker, Tokens& out) const {
    // A mark in the text itself begins a word like a space, which only the steps know how to do.
    if (!part.ascii && part.bytes.find(kMark) != std::string_view::npos) return Outcome::kDeclined;
    const uint32_t word = out.word;
    const size_t first = out.ids.size();
    if (!Run(*this, part, worker, out).all()) return Outcome::kUnknown;
    if (whole_text_ && out.ids.size() > first) {  // to SentencePiece the text is one piece
        if (out.wanted.words) std::fill(out.words.data() + first, out.words.end(), word);
        out.word = word + 1;
    }
    return Outcome::kDone;
}

// Where a stretch that is not plain ASCII ends: before a space that nothing can be joined to.
size_t MetaspacePath::slow_end(const unsigned char* text, size_t size, size_t at) const {
    for (; at < size; ++at) {
        if (kinds_[text[at]] == kSpace && (at + 1 == size || kinds_[text[at + 1]] != kSlow)) break;
    }
    return at;
}

bool MetaspacePath::find_regions(const Part& part, std::vector<Region>& regions) const {
    // Where the normalizer also puts a mark before the text, parts would get one each.
    if (options_.mark != MetaspaceOptions::kFirstCharacter) return false;
    if (part.ascii && usual_is_plain_ && is_usual(part.bytes)) return true;
    if (!part.ascii && part.bytes.find(kMark) != std::string_view::npos) return false;
    const auto* text = reinterpret_cast<const unsigned char*>(part.bytes.data());
    const size_t size = part.bytes.size();
    for (size_t done = 0, at = 0; at < size; ++at) {
        if (kinds_[text[at]] != kSlow) [[likely]] continue;
        size_t start = at;
        while (start > done && kinds_[text[start - 1]] == kPlain) --start;
        if (start == at && start > done && kinds_[text[start - 1]] == kSpace) --start;
        at = done = slow_end(text, size, at);
        regions.push_back({start, done});
    }
    return true;
}

}  // namespace headway
