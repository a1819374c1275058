#include "models/wordpiece.h"

#include <algorithm>

#include "text/utf8.h"

namespace headway {

WordPiece::WordPiece(const Vocabulary& vocabulary, const std::string& unknown,
                     const std::string& prefix, uint64_t longest_word)
    : trie_(vocabulary), inside_(trie_.walk(trie_.root(), prefix)), longest_word_(longest_word) {
    const uint32_t node = trie_.walk(trie_.root(), unknown);
    unknown_ = node == Trie::kNone ? Trie::kNone : trie_.value(node);
}

bool WordPiece::tokenize(std::string_view piece, std::vector<Piece>& out) const {
    const size_t kept = out.size();
    if (piece.size() > longest_word_) {  // more bytes; perhaps also more characters
        const auto characters = std::count_if(piece.begin(), piece.end(), [](char byte) {
            return !is_continuation(static_cast<unsigned char>(byte));
        });
        if (uint64_t(characters) > longest_word_) return unknown_word(piece, out, kept);
    }
    for (size_t start = 0; start < piece.size();) {
        uint32_t node = start ? inside_ : trie_.root();
        if (node == Trie::kNone) return unknown_word(piece, out, kept);
        uint32_t id = Trie::kNone;
        size_t end = start;
        for (size_t at = start; at < piece.size();) {
            if (!trie_.step(node, static_cast<unsigned char>(piece[at]))) break;
            ++at;
            // A token ends between characters, since it is UTF-8 and so is the piece.
            if (trie_.value(node) != Trie::kNone) {
                id = trie_.value(node);
                end = at;
            }
        }
        if (id == Trie::kNone) return unknown_word(piece, out, kept);
        out.push_back({id, uint32_t(start), uint32_t(end)});
        start = end;
    }
    return true;
}

bool WordPiece::unknown_word(std::string_view piece, std::vector<Piece>& out, size_t kept) const {
    out.resize(kept);
    const bool known = unknown_ != Trie::kNone;
    out.push_back({known ? unknown_ : 0, 0, uint32_t(piece.size())});
    return known;
}

WordLevel::WordLevel(const Vocabulary& vocabulary, const std::string& unknown) {
    for (const auto& [token, id] : vocabulary) vocabulary_.set(token, id);
    unknown_ = vocabulary_.find(unknown);
}

bool WordLevel::tokenize(std::string_view piece, std::vector<Piece>& out) const {
    uint32_t id = vocabulary_.find(piece);
    if (id == StringTable::kNone) id = unknown_;
    const bool known = id != StringTable::kNone;
    out.push_back({known ? id : 0, 0, uint32_t(piece.size())});
    return known;
}

}  // namespace headway
