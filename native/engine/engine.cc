#include "engine/engine.h"

#include <algorithm>

#include "engine/normalized_part.h"
#include "text/characters.h"

namespace headway {

namespace {

Span as_it_lies(uint32_t start, uint32_t end) { return {start, end}; }

}  // namespace

Engine::Engine(Steps steps)
    : steps_(std::move(steps)),
      raw_(std::move(steps_.raw)),
      normalized_(std::move(steps_.normalized), steps_.fast ? steps_.fast->alias() : nullptr) {}

Engine::~Engine() {
    for (auto& slot : spare_) delete slot.load();
}

std::unique_ptr<Worker> Engine::take_worker() const {
    for (auto& slot : spare_) {
        if (Worker* worker = slot.exchange(nullptr)) return std::unique_ptr<Worker>(worker);
    }
    return std::make_unique<Worker>();
}

void Engine::give_back(std::unique_ptr<Worker> worker) const {
    for (auto& slot : spare_) {
        Worker* none = nullptr;
        if (slot.compare_exchange_strong(none, worker.get())) {
            worker.release();
            return;
        }
    }
}

Failure Engine::encode(std::string_view text, Worker& worker, Tokens& out) const {
    if (text.size() >= UINT32_MAX) return {Failure::kTooLong, text.size(), {}};
    const bool ascii = is_ascii(text);
    if (!ascii) {
        const size_t bad = first_invalid_utf8(text);
        if (bad != text.size()) return {Failure::kNotUtf8, bad, {}};
    }
    const size_t first = out.ids.size();
    const bool wanted_surfaces = worker.wants_surfaces;
    worker.wants_surfaces = wanted_surfaces || !steps_.trims.empty();
    worker.surfaces.clear();
    out.word = 0;
    worker.first_row = first;
    const bool fine =
        text.empty() || cut_out(raw_, {text, 0, ascii}, false, worker, out, as_it_lies,
                                [&](const Part& rest) { return encode_part(rest, worker, out); });
    worker.wants_surfaces = wanted_surfaces;
    if (!fine) return {Failure::kUnknownText, 0, worker.unknown};
    if (out.wanted.offsets) {
        for (const TrimSpaces& trim : steps_.trims) trim.apply(out, first, worker.surfaces);
    }
    return {};
}

bool Engine::encode_part(const Part& part, Worker& worker, Tokens& out) const {
    // A fast path does not tell how tokens are shown.
    const bool shows = worker.wants_surfaces && steps_.model->shown_as_text() != UINT32_MAX;
    if (!steps_.fast || worker.wants_slow || shows) return encode_slowly(part, worker, out);
    if (normalized_.empty()) return encode_fast(part, worker, out);
    std::vector<Region>& regions = worker.regions;
    regions.clear();
    if (!steps_.fast->find_regions(part, regions)) return encode_slowly(part, worker, out);
    if (!regions.empty()) return encode_between(part, regions, worker, out);
    return cut_out(normalized_, part, steps_.fast->alias() != nullptr, worker, out, as_it_lies,
                   [&](const Part& rest) { return encode_fast(rest, worker, out); });
}

// Finds tokens in the normalized text, and takes the steps only where one has to do with a region.
bool Engine::encode_between(const Part& part, const std::vector<Region>& regions, Worker& worker,
                            Tokens& out) const {
    const NormalizedPart normalized(part, regions, steps_.fast->alias(), steps_.normalizer.get());
    Match match;
    const auto find = [&](size_t from) {
        return normalized_.next(normalized.bytes(), from, from, match);
    };
    bool more = find(0);
    if (!more) return encode_fast(part, worker, out);
    if (normalized_.looks_around()) return encode_slowly(part, worker, out);
    size_t done = 0, counted = 0;  // bytes that are written, and whose characters are counted
    uint32_t character = part.start;
    const auto slice = [&](size_t start, size_t end) {
        character += count_characters(part.bytes.substr(counted, start - counted));
        counted = start;
        const std::string_view bytes = part.bytes.substr(start, end - start);
        return Part{bytes, character, part.ascii || is_ascii(bytes)};
    };
    while (more) {
        const uint32_t token = match.token;
        auto [start, end, exact] = normalized.source(match.start, match.end);
        while ((more = find(match.end)) && !exact) {
            const auto next = normalized.source(match.start, match.end);
            if (next.start >= end) break;
            end = std::max(end, next.end);
        }
        if (done < start && !encode_fast(slice(done, start), worker, out)) return false;
        const Part here = slice(start, end);
        if (exact) {
            const Span span = {here.start, here.start + uint32_t(here.bytes.size())};
            add_token(normalized_.token(token).id, here.bytes, span, worker, out);
        } else if (!encode_slowly(here, worker, out)) {
            return false;
        }
        done = end;
    }
    return done == part.bytes.size() || encode_fast(slice(done, part.bytes.size()), worker, out);
}

bool Engine::encode_fast(const Part& part, Worker& worker, Tokens& out) const {
    const Outcome outcome = steps_.fast->encode(part, worker, out);
    return outcome == Outcome::kDeclined ? encode_slowly(part, worker, out)
                                         : outcome == Outcome::kDone;
}

// Writes the added tokens of a part, and hands what is between them to `encode_rest`.
template <class SpanOf, class EncodeRest>
bool Engine::cut_out(const TokenFinder& finder, const Part& part, bool exchange, Worker& worker,
                     Tokens& out, const SpanOf& span_of, const EncodeRest& encode_rest) const {
    size_t place = 0, from = 0;
    uint32_t character = part.start;
    const auto between = [&](size_t start, size_t end) { return part.bytes.substr(start, end - start); };
    const auto count = [&](size_t start, size_t end) {
        return part.ascii ? uint32_t(end - start) : count_characters(between(start, end));
    };
    Match match;
    while (finder.next(part.bytes, place, from, match, exchange)) {
        if (place < match.start &&
            !encode_rest({between(place, match.start), character, part.ascii})) {
            return false;
        }
        if (match.start >= match.end) {
            character -= count(match.end, place);
            place = match.end;
            from = match.matched;
            continue;
        }
        // A token may begin in the spaces that the one before it has taken in.
        const uint32_t start = match.start >= place ? character + count(place, match.start)
                                                    : character - count(match.start, place);
        const uint32_t end = start + count(match.start, match.end);
        add_token(finder.token(match.token).id, between(match.start, match.end),
                  span_of(start, end), worker, out);
        character = end;
        place = match.end;
        from = match.matched;
    }
    return place >= part.bytes.size() ||
           encode_rest({part.bytes.substr(place), character, part.ascii});
}

bool Engine::encode_slowly(const Part& part, Worker& worker, Tokens& out) const {
    AlignedText text(decode_utf8(part.bytes), part.start);
    if (steps_.normalizer) steps_.normalizer->apply(text);
    return text.text.empty() || encode_normalized(text, worker, out);
}

// Cuts out the tokens that are looked for in the normalized text.
bool Engine::encode_normalized(const AlignedText& text, Worker& worker, Tokens& out) const {
    if (normalized_.empty()) return encode_pieces(text, worker, out);
    const std::string bytes = encode_utf8(text.text);
    const Part part{bytes, 0, bytes.size() == text.text.size()};
    const auto in_original = [&](uint32_t start, uint32_t end) { return text.span(start, end); };
    return cut_out(normalized_, part, false, worker, out, in_original, [&](const Part& rest) {
        const uint32_t size = rest.ascii ? uint32_t(rest.bytes.size()) : count_characters(rest.bytes);
        return encode_pieces(text.slice(rest.start, rest.start + size), worker, out);
    });
}

bool Engine::encode_pieces(const AlignedText& text, Worker& worker, Tokens& out) const {
    if (!steps_.pretokenizer) return encode_piece(text, worker, out);
    std::vector<AlignedText> pieces;
    pieces.swap(worker.parts);  // its memory is used again
    pieces.clear();
    steps_.pretokenizer->split(text, pieces);
    bool fine = true;
    for (size_t i = 0; fine && i < pieces.size(); ++i) fine = encode_piece(pieces[i], worker, out);
    worker.parts.swap(pieces);
    return fine;
}

bool Engine::encode_piece(const AlignedText& piece, Worker& worker, Tokens& out) const {
    std::string bytes = encode_utf8(piece.text);
    worker.pieces.clear();
    if (!steps_.model->tokenize(bytes, worker.pieces)) {
        const Piece& bad = worker.pieces.back();
        worker.unknown = bytes.substr(bad.start, bad.end - bad.start);
        return false;
    }
    const bool plain = bytes.size() == piece.text.size();
    if (!plain && out.wanted.offsets) number_characters(bytes, worker.characters);
    const auto place = [&](uint32_t byte) { return plain ? byte : worker.characters[byte]; };
    for (const Piece& token : worker.pieces) {
        if (worker.wants_surfaces && token.id == steps_.model->shown_as_text()) {
            worker.surfaces.emplace_back(out.ids.size() - worker.first_row,
                                         bytes.substr(token.start, token.end - token.start));
        }
        const auto [start, end] = out.wanted.offsets
                                      ? piece.span(place(token.start), place(token.end - 1) + 1)
                                      : Span{0, 0};
        out.push(token.id, start, end);
    }
    ++out.word;
    return true;
}

void Engine::add_token(uint32_t id, std::string_view shown, Span span, Worker& worker,
                       Tokens& out) const {
    if (worker.wants_surfaces) {
        worker.surfaces.emplace_back(out.ids.size() - worker.first_row, std::string(shown));
    }
    out.push(id, span.first, span.second);
    ++out.word;
}

}  // namespace headway
