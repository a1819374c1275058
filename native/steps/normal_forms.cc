#include "steps/normal_forms.h"

#include <algorithm>

#include "unicode/classes.h"
#include "unicode/composition.h"

namespace headway {

namespace {

// One character of the result. `change` says where it comes from, read from left to right: 0 takes
// the place of the next character, -n of the next one and swallows n more, 1 is inserted.
struct Edit {
    char32_t character;
    int32_t change;
    uint8_t combining;
};

uint32_t unstable_class(NormalForm form) {
    switch (form) {
        case NormalForm::kNfc: return kClassUnstableNfc;
        case NormalForm::kNfd: return kClassUnstableNfd;
        case NormalForm::kNfkc: return kClassUnstableNfkc;
        default: return kClassUnstableNfkd;
    }
}

void sort_marks(std::vector<Edit>& edits, size_t first) {
    const auto by_class = [](const Edit& a, const Edit& b) { return a.combining < b.combining; };
    const auto begin = edits.begin() + ptrdiff_t(first);
    if (!std::is_sorted(begin, edits.end(), by_class)) {
        std::stable_sort(begin, edits.end(), by_class);
    }
}

void decompose(std::u32string_view text, bool compatible, std::vector<Edit>& edits) {
    edits.clear();
    size_t marks = 0;  // where the marks at the end begin
    HangulLetters room;
    for (const char32_t code : text) {
        int32_t change = 0;
        for (const char32_t part : decomposition(code, compatible, room)) {
            const uint8_t combining = combining_class(part);
            if (combining == 0) sort_marks(edits, marks);
            edits.push_back({part, change, combining});
            if (combining == 0) marks = edits.size();
            change = 1;
        }
    }
    sort_marks(edits, marks);
}

// Joins each starter with the marks after it that are not blocked.
void compose(std::vector<Edit>& edits) {
    constexpr size_t kNone = SIZE_MAX;
    size_t size = 0, starter = kNone;
    uint8_t last_class = 0;
    for (const Edit& edit : edits) {
        const bool is_near = starter != kNone && (size == starter + 1 ||
                                                  (0 < last_class && last_class < edit.combining));
        const char32_t whole = is_near ? composition(edits[starter].character, edit.character) : 0;
        if (whole) {
            edits[starter].character = whole;
            edits[starter].change += edit.change - 1;
            continue;
        }
        if (edit.combining == 0) starter = size;
        last_class = edit.combining;
        edits[size++] = edit;
    }
    edits.resize(size);
}

void append(const std::vector<Edit>& edits, size_t place, Draft& draft) {
    for (const auto& [character, change, combining] : edits) {
        if (change > 0) {
            draft.add(character, place - 1);
        } else {
            draft.add(character, place);
            place += size_t(1 - change);
        }
    }
}

}  // namespace

void to_normal_form(NormalForm form, AlignedText& text) {
    const bool composes = form == NormalForm::kNfc || form == NormalForm::kNfkc;
    const bool compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
    const uint32_t unstable = unstable_class(form);
    const std::u32string_view old = text.text;
    const auto next = [&](size_t at, bool wanted) {
        while (at < old.size() && is_any_of(old[at], unstable) != wanted) ++at;
        return at;
    };
    size_t place = next(0, true);
    if (place == old.size()) return;
    Draft draft;
    draft.reserve(old.size());
    std::vector<Edit> edits;
    // A stretch is what may change, with the character before it, which a mark may join.
    size_t done = 0;
    while (place < old.size()) {
        const size_t start = composes && place > done ? place - 1 : place;
        draft.copy(old, done, start);
        done = next(place, false);
        decompose(old.substr(start, done - start), compatible, edits);
        if (composes) compose(edits);
        append(edits, start, draft);
        place = next(done, true);
    }
    draft.copy(old, done, old.size());
    text.become(std::move(draft));
}

}  // namespace headway
