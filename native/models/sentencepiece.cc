#include "models/sentencepiece.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "models/byte_tokens.h"
#include "text/utf8.h"

namespace headway {

namespace {

constexpr uint32_t kNone = Trie::kNone;
constexpr float kUnknownPenalty = 10.0f;
constexpr float kReset = 100000.0f;  // from here on 32 bits leave too few digits for a score

Trie trie_of(const std::vector<SpmPiece>& pieces, std::initializer_list<SpmPiece::Kind> kinds) {
    std::vector<std::pair<std::string, uint32_t>> entries;
    for (uint32_t id = 0; id < pieces.size(); ++id) {
        if (std::find(kinds.begin(), kinds.end(), pieces[id].kind) != kinds.end()) {
            entries.emplace_back(pieces[id].text, id);
        }
    }
    return Trie(std::move(entries));
}

bool has_words_apart(const std::vector<SpmPiece>& pieces) {
    constexpr std::string_view kMark = "\xE2\x96\x81";
    bool has_mark = false;
    for (const SpmPiece& piece : pieces) {
        if (piece.kind == SpmPiece::kUserDefined) return false;
        if (piece.kind != SpmPiece::kNormal) continue;
        has_mark = has_mark || piece.text == kMark;
        const size_t from = piece.text.starts_with(kMark) ? kMark.size() : 0;
        if (piece.text.find(kMark, from) != std::string::npos) return false;
    }
    return has_mark;
}

}  // namespace

SpmVocabulary::SpmVocabulary(const std::vector<SpmPiece>& pieces, bool byte_fallback)
    : byte_fallback_(byte_fallback) {
    for (uint32_t id = 0; id < pieces.size(); ++id) {
        if (pieces[id].kind == SpmPiece::kUnknown) unknown_ = id;
    }
    bytes_ = byte_tokens([&](const std::string& token) {
        for (uint32_t id = 0; id < pieces.size(); ++id) {
            if (pieces[id].kind == SpmPiece::kByte && pieces[id].text == token) return id;
        }
        return kNone;
    });
}

void SpmVocabulary::write(std::string_view text, const std::vector<Piece>& cut,
                          std::vector<Piece>& out) const {
    bool after_unknown = false;
    for (const Piece& piece : cut) {
        if (piece.id != unknown_) {
            out.push_back(piece);
        } else if (byte_fallback_) {
            for (const char byte : text.substr(piece.start, piece.end - piece.start)) {
                out.push_back({bytes_[static_cast<unsigned char>(byte)], piece.start, piece.end});
            }
        } else if (after_unknown) {
            out.back().end = piece.end;
        } else {
            out.push_back(piece);
        }
        after_unknown = piece.id == unknown_ && !byte_fallback_;
    }
}

SpmUnigram::SpmUnigram(const std::vector<SpmPiece>& pieces, bool byte_fallback)
    : vocabulary_(pieces, byte_fallback),
      trie_(trie_of(pieces, {SpmPiece::kNormal, SpmPiece::kUserDefined})) {
    bool any = false;
    double least = 0.0;
    for (const SpmPiece& piece : pieces) {
        // A user-defined symbol is better than any cut of the same text into other pieces.
        const double bonus = 0.1 * (double(piece.text.size()) - 1);
        scores_.push_back(piece.kind == SpmPiece::kUserDefined ? float(bonus) : piece.score);
        if (piece.kind != SpmPiece::kNormal) continue;
        least = any ? std::min(least, double(piece.score)) : double(piece.score);
        any = true;
    }
    unknown_score_ = float(least - double(kUnknownPenalty));
    words_apart_ = has_words_apart(pieces);
}

void SpmUnigram::best_cut(std::string_view view, float first, std::vector<Step>& steps) const {
    const auto* text = reinterpret_cast<const unsigned char*>(view.data());
    const uint32_t size = uint32_t(view.size());
    steps.assign(size + 1, {0.0f, kNone, kNone});
    steps[0].score = first;
    uint32_t furthest = 0;
    const auto offer = [&](uint32_t end, float score, uint32_t start, uint32_t id) {
        if (steps[end].start == kNone || score > steps[end].score) steps[end] = {score, start, id};
        furthest = std::max(furthest, end);
    };
    for (uint32_t start = 0; start < size;) {
        if (std::fabs(steps[start].score) > kReset) {
            const float offset = steps[start].score;
            for (uint32_t i = start; i <= furthest; ++i) {
                if (i == start || steps[i].start != kNone) steps[i].score -= offset;
            }
        }
        const uint32_t next = start + uint32_t(utf8_length(text[start]));
        const float so_far = steps[start].score;
        bool has_single = false;
        uint32_t node = trie_.root();
        for (uint32_t at = start; at < size && trie_.step(node, text[at]);) {
            ++at;
            const uint32_t id = trie_.value(node);
            if (id == kNone) continue;
            has_single = has_single || at == next;
            offer(at, scores_[id] + so_far, start, id);
        }
        if (!has_single) offer(next, unknown_score_ + so_far, start, vocabulary_.unknown());
        start = next;
    }
}

bool SpmUnigram::tokenize(std::string_view text, std::vector<Piece>& out) const {
    thread_local std::vector<Step> steps;
    best_cut(text, 0.0f, steps);
    write_cut(text, steps, out);
    return true;
}

void SpmUnigram::write_cut(std::string_view text, const std::vector<Step>& steps,
                           std::vector<Piece>& out) const {
    thread_local std::vector<Piece> cut;
    cut.clear();
    for (uint32_t end = uint32_t(text.size()); end > 0; end = steps[end].start) {
        cut.push_back({steps[end].id, steps[end].start, end});
    }
    std::reverse(cut.begin(), cut.end());
    vocabulary_.write(text, cut, out);
}

void SpmUnigram::tokenize_word(std::string_view word, float& score, std::vector<Piece>& out) const {
    thread_local std::vector<Step> steps;
    best_cut(word, score, steps);
    write_cut(word, steps, out);
    score = steps.back().score;
}

double SpmUnigram::tokenize_anywhere(std::string_view word, std::vector<Piece>& out) const {
    struct Node {
        double best, second;
        uint32_t start, id;
    };
    constexpr double kNever = -1e30;
    thread_local std::vector<Node> nodes;
    const auto* text = reinterpret_cast<const unsigned char*>(word.data());
    const uint32_t size = uint32_t(word.size()), unknown = vocabulary_.unknown();
    nodes.assign(size + 1, {kNever, kNever, 0, unknown});
    nodes[0].best = 0;
    const auto offer = [&](uint32_t end, double score, uint32_t start, uint32_t id) {
        Node& node = nodes[end];
        if (score > node.best) {
            node = {score, node.best, start, id};
        } else {
            node.second = std::max(node.second, score);
        }
    };
    for (uint32_t start = 0, next; start < size; start = next) {
        next = start + uint32_t(utf8_length(text[start]));
        bool has_single = false;
        uint32_t node = trie_.root();
        for (uint32_t at = start; at < size && trie_.step(node, text[at]);) {
            ++at;
            const uint32_t id = trie_.value(node);
            if (id == kNone) continue;
            has_single = has_single || at == next;
            offer(at, nodes[start].best + double(scores_[id]), start, id);
        }
        if (!has_single) offer(next, nodes[start].best + double(unknown_score_), start, unknown);
    }
    double margin = -kNever;
    thread_local std::vector<Piece> cut;
    cut.clear();
    for (uint32_t end = size; end > 0; end = nodes[end].start) {
        cut.push_back({nodes[end].id, nodes[end].start, end});
        margin = nodes[end].id == unknown ? 0 : std::min(margin, nodes[end].best - nodes[end].second);
    }
    std::reverse(cut.begin(), cut.end());
    vocabulary_.write(word, cut, out);
    const bool has_unknown = std::any_of(cut.begin(), cut.end(),
                                         [&](const Piece& piece) { return piece.id == unknown; });
    return has_unknown ? 0 : margin;
}

bool SpmUnigram::add_up(const uint32_t* ids, size_t count, size_t word_size, double margin,
                        float& score) const {
    // Each sum is rounded by at most half a unit in the last place of the largest number there can
    // be, there are no more sums than characters, and two cuts are compared.
    const double largest = std::fabs(score) + double(word_size) * std::fabs(unknown_score_);
    if (margin <= 2 * double(word_size) * largest / double(1 << 23) || largest > kReset) {
        return false;
    }
    for (size_t i = 0; i < count; ++i) score = scores_[ids[i]] + score;
    return true;
}

SpmBpe::SpmBpe(const std::vector<SpmPiece>& pieces, bool byte_fallback)
    : vocabulary_(pieces, byte_fallback),
      joins_(trie_of(pieces, {SpmPiece::kNormal, SpmPiece::kUserDefined, SpmPiece::kUnused})),
      symbols_(trie_of(pieces, {SpmPiece::kUserDefined})),
      all_(trie_of(pieces, {SpmPiece::kNormal, SpmPiece::kUnknown, SpmPiece::kControl,
                            SpmPiece::kUserDefined, SpmPiece::kUnused, SpmPiece::kByte})) {
    for (const SpmPiece& piece : pieces) {
        scores_.push_back(piece.score);
        unused_.push_back(piece.kind == SpmPiece::kUnused);
        has_unused_ = has_unused_ || unused_.back();
    }
}

uint32_t SpmBpe::find(const Trie& trie, std::string_view text) const {
    const uint32_t node = trie.walk(trie.root(), text);
    return node == kNone ? kNone : trie.value(node);
}

// The symbols of a text, as a linked list over its bytes.
struct SpmBpe::Symbols {
    struct Symbol {
        uint32_t start, end, left, right;
        bool frozen, swallowed;
    };
    struct Join {
        float score;
        uint32_t left, right, end;  // places of symbols, and where the join ends in the text

        // The queue gives the greatest first: the best score, then the leftmost.
        bool operator<(const Join& other) const {
            return score != other.score ? score < other.score : left > other.left;
        }
    };

    std::vector<Symbol> list;

    Symbols(const Trie& user_defined, std::string_view view) {
        const auto* text = reinterpret_cast<const unsigned char*>(view.data());
        for (uint32_t at = 0; at < view.size();) {
            uint32_t node = user_defined.root(), longest = 0;
            for (uint32_t end = at; end < view.size() && user_defined.step(node, text[end]);) {
                ++end;
                if (user_defined.value(node) != kNone) longest = end;
            }
            const uint32_t end = longest ? longest : at + uint32_t(utf8_length(text[at]));
            const auto number = uint32_t(list.size());
            list.push_back({at, end, number - 1, number + 1, longest != 0, false});
            at = end;
        }
    }
};

bool SpmBpe::tokenize(std::string_view text, std::vector<Piece>& out) const {
    Symbols symbols(symbols_, text);
    auto& list = symbols.list;
    std::vector<uint32_t> halves(has_unused_ ? unused_.size() : 0, 0);  // bytes of the left half
    std::priority_queue<Symbols::Join> queue;
    const auto consider = [&](uint32_t left, uint32_t right) {
        if (left >= list.size() || right >= list.size()) return;
        if (list[left].frozen || list[right].frozen) return;
        const uint32_t start = list[left].start, end = list[right].end;
        const uint32_t id = find(joins_, text.substr(start, end - start));
        if (id == kNone) return;
        queue.push({scores_[id], left, right, end});
        if (has_unused_ && unused_[id]) halves[id] = list[right].start - start;
    };
    for (uint32_t i = 0; i + 1 < list.size(); ++i) consider(i, i + 1);
    while (!queue.empty()) {
        const auto join = queue.top();
        queue.pop();
        auto& left = list[join.left];
        const auto& right = list[join.right];
        const bool stale = left.swallowed || right.swallowed || left.right != join.right ||
                           right.end != join.end;
        if (stale) continue;
        left.end = right.end;
        left.right = right.right;
        list[join.right].swallowed = true;
        if (left.right < list.size()) list[left.right].left = join.left;
        consider(left.left, join.left);
        consider(join.left, left.right);
    }
    std::vector<Piece> cut;
    for (const auto& symbol : list) {
        if (!symbol.swallowed) split_unused(text, {0, symbol.start, symbol.end}, halves, cut);
    }
    vocabulary_.write(text, cut, out);
    return true;
}

// A piece that is not to be used comes apart again as it was joined.
void SpmBpe::split_unused(std::string_view text, Piece piece, const std::vector<uint32_t>& halves,
                          std::vector<Piece>& cut) const {
    const auto written = text.substr(piece.start, piece.end - piece.start);
    const uint32_t joined = has_unused_ ? find(joins_, written) : kNone;
    if (joined != kNone && halves[joined]) {
        const uint32_t middle = piece.start + halves[joined];
        split_unused(text, {0, piece.start, middle}, halves, cut);
        split_unused(text, {0, middle, piece.end}, halves, cut);
        return;
    }
    const uint32_t id = find(all_, written);
    cut.push_back({id == kNone ? vocabulary_.unknown() : id, piece.start, piece.end});
}

}  // namespace headway
