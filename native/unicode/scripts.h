// The script of a character, as src/headway/tokenizer/scripts.py tells it.
#pragma once

#include <cstdint>

namespace headway {

// A number for each script; 0 for a space or a character of any script.
uint8_t script_of(char32_t code);

}  // namespace headway
