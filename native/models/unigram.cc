#include "models/unigram.h"

#include <algorithm>

#include "models/byte_tokens.h"
#include "text/utf8.h"

namespace headway {

namespace {

constexpr uint32_t kNone = Trie::kNone;

std::vector<std::pair<std::string, uint32_t>> numbered(
    const std::vector<std::pair<std::string, double>>& scores) {
    std::vector<std::pair<std::string, uint32_t>> entries;
    entries.reserve(scores.size());
    for (uint32_t id = 0; id < scores.size(); ++id) entries.emplace_back(scores[id].first, id);
    return entries;
}

}  // namespace

Unigram::Unigram(const std::vector<std::pair<std::string, double>>& scores, uint32_t unknown,
                 bool byte_fallback)
    : trie_(numbered(scores)), unknown_(unknown), byte_fallback_(byte_fallback) {
    double least = scores.empty() ? 0.0 : scores[0].second;
    for (const auto& [token, score] : scores) {
        scores_.push_back(score);
        least = std::min(least, score);
    }
    unknown_score_ = least - kUnknownPenalty;
    byte_tokens_ = byte_tokens([&](std::string_view token) {
        const uint32_t node = trie_.walk(trie_.root(), token);
        return node == kNone ? kNone : trie_.value(node);
    });
}

// Fills in, for each place between characters, the best cut up to there; false where a character
// is unknown and nothing stands in for it, which the last of `steps` then tells.
bool Unigram::best_cut(std::string_view piece, std::vector<Step>& steps) const {
    const auto* text = reinterpret_cast<const unsigned char*>(piece.data());
    const uint32_t size = uint32_t(piece.size());
    steps.assign(size + 1, {0.0, kNone, kNone});
    const auto offer = [&](uint32_t end, double score, uint32_t start, uint32_t id) {
        if (steps[end].start == kNone || score > steps[end].score) steps[end] = {score, start, id};
    };
    for (uint32_t start = 0; start < size;) {
        const uint32_t next = start + uint32_t(utf8_length(text[start]));
        const double so_far = steps[start].score;
        bool has_single = false;
        uint32_t node = trie_.root();
        for (uint32_t at = start; at < size && trie_.step(node, text[at]);) {
            ++at;
            const uint32_t id = trie_.value(node);
            if (id == kNone) continue;
            has_single = has_single || at == next;
            offer(at, scores_[id] + so_far, start, id);
        }
        if (!has_single) {
            const double score = unknown_score_ + so_far;
            const bool better = steps[next].start == kNone || score > steps[next].score;
            if (better && unknown_ == kNone) {
                steps.resize(next + 1);
                steps[next].start = start;
                return false;
            }
            offer(next, score, start, kNone);
        }
        start = next;
    }
    return true;
}

bool Unigram::tokenize(std::string_view piece, std::vector<Piece>& out) const {
    thread_local std::vector<Step> steps;
    thread_local std::vector<Piece> cut;
    if (!best_cut(piece, steps)) {
        out.push_back({0, steps.back().start, uint32_t(steps.size() - 1)});
        return false;
    }
    cut.clear();
    bool after_unknown = false;
    for (uint32_t end = uint32_t(piece.size()); end > 0;) {
        const Step& step = steps[end];
        const bool is_unknown = step.id == kNone || step.id == unknown_;
        if (is_unknown && after_unknown) {
            cut.back().start = step.start;
            cut.back().id = kNone;  // what it is, is looked up once all of it is known
        } else {
            cut.push_back({step.id, step.start, end});
        }
        after_unknown = is_unknown;
        end = step.start;
    }
    for (size_t i = cut.size(); i-- > 0;) {
        Piece token = cut[i];
        if (token.id == kNone) {
            const auto written = piece.substr(token.start, token.end - token.start);
            const uint32_t node = trie_.walk(trie_.root(), written);
            token.id = node == kNone ? kNone : trie_.value(node);
        }
        write(piece, token, token.id != kNone, out);
    }
    return true;
}

// One token, or the tokens of the bytes of an unknown text.
void Unigram::write(std::string_view piece, Piece token, bool known,
                    std::vector<Piece>& out) const {
    if (!known && byte_fallback_) {
        const auto written = piece.substr(token.start, token.end - token.start);
        const auto id_of = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
        if (std::all_of(written.begin(), written.end(),
                        [&](char byte) { return id_of(byte) != kNone; })) {
            for (const char byte : written) out.push_back({id_of(byte), token.start, token.end});
            return;
        }
    }
    out.push_back({known ? token.id : unknown_, token.start, token.end});
}

}  // namespace headway
