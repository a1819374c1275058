#include "unicode/lowercase.h"

#include "unicode/two_stages.h"

namespace headway {

namespace {
#define HEADWAY_LOWERCASE
#include "unicode/tables.inc"
}  // namespace

char32_t lowercase(char32_t code) {
    return char32_t(int32_t(code) + kLowercaseDistances[kLowercase[code]]);
}

}  // namespace headway
