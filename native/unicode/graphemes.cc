#include "unicode/graphemes.h"

#include <cstdint>

#include "unicode/two_stages.h"

namespace headway {

namespace {

#define HEADWAY_GRAPHEME_BREAKS
#include "unicode/tables.inc"

// What scripts/unicode_tables writes in the lower four bits.
enum Break : uint8_t {
    kOther,
    kCarriageReturn,
    kLineFeed,
    kControl,
    kExtend,
    kJoiner,
    kRegional,
    kPrepend,
    kSpacingMark,
    kHangulL,
    kHangulV,
    kHangulT,
    kHangulLv,
    kHangulLvt,
};

// And in the bits above.
constexpr uint8_t kPictographic = 0x10, kLinker = 0x20, kConsonant = 0x40, kConjunctExtend = 0x80;

uint8_t properties(char32_t code) {
    if (code - 0xAC00 < 11172) return (code - 0xAC00) % 28 ? kHangulLvt : kHangulLv;
    return kGraphemeBreak[code];
}

bool is_line(Break kind) {
    return kind == kControl || kind == kCarriageReturn || kind == kLineFeed;
}

// Whether two neighbours belong together whatever stands before them.
bool sticks(Break before, Break behind) {
    if (before == kCarriageReturn && behind == kLineFeed) return true;
    if (is_line(before) || is_line(behind)) return false;
    if (behind == kExtend || behind == kJoiner || behind == kSpacingMark) return true;
    if (before == kPrepend) return true;
    switch (before) {
        case kHangulL:
            return behind == kHangulL || behind == kHangulV || behind == kHangulLv ||
                   behind == kHangulLvt;
        case kHangulLv:
        case kHangulV:
            return behind == kHangulV || behind == kHangulT;
        case kHangulLvt:
        case kHangulT:
            return behind == kHangulT;
        default:
            return false;
    }
}

// What has been seen of a cluster that matters later on.
class Seen {
   public:
    void add(uint8_t properties) {
        const auto kind = Break(properties & 0xF);
        // An emoji with marks, then a joiner.
        joined_ = pictograph_ && kind == kJoiner;
        pictograph_ = properties & kPictographic || (pictograph_ && kind == kExtend);
        // An Indic consonant with marks, one of which links it to the next.
        if (properties & kConsonant) {
            consonant_ = true;
            linked_ = false;
        } else {
            consonant_ = consonant_ && properties & (kLinker | kConjunctExtend);
            linked_ = consonant_ && (linked_ || properties & kLinker);
        }
        // Flags are pairs of letters.
        odd_flag_ = kind == kRegional && !odd_flag_;
    }
    bool joins(uint8_t properties) const {
        return (joined_ && properties & kPictographic) || (linked_ && properties & kConsonant) ||
               (odd_flag_ && (properties & 0xF) == kRegional);
    }

   private:
    bool pictograph_ = false, joined_ = false, consonant_ = false, linked_ = false;
    bool odd_flag_ = false;
};

}  // namespace

size_t grapheme_end(std::u32string_view text, size_t start) {
    uint8_t before = properties(text[start]);
    Seen seen;
    size_t end = start + 1;
    for (; end < text.size(); ++end) {
        seen.add(before);
        const uint8_t behind = properties(text[end]);
        if (!sticks(Break(before & 0xF), Break(behind & 0xF)) && !seen.joins(behind)) break;
        before = behind;
    }
    return end;
}

}  // namespace headway
