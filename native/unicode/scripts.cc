#include "unicode/scripts.h"

#include "unicode/two_stages.h"

namespace headway {

namespace {
#define HEADWAY_SCRIPTS
#include "unicode/tables.inc"
}  // namespace

uint8_t script_of(char32_t code) { return kScript[code]; }

}  // namespace headway
