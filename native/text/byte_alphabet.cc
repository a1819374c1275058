#include "text/byte_alphabet.h"

#include "text/utf8.h"

namespace headway {

namespace {

constexpr unsigned kCharacters = 0x144;  // behind the last character of the alphabet

bool is_printable(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// Character -> its byte, or -1.
std::array<int16_t, kCharacters> byte_values() {
    std::array<int16_t, kCharacters> values;
    values.fill(-1);
    for (unsigned byte = 0; byte < 256; ++byte) values[byte_alphabet()[byte]] = int16_t(byte);
    return values;
}

}  // namespace

const std::array<char16_t, 256>& byte_alphabet() {
    static const std::array<char16_t, 256> alphabet = [] {
        std::array<char16_t, 256> characters{};
        char16_t other = 0x100;
        for (unsigned byte = 0; byte < 256; ++byte) {
            characters[byte] = is_printable(byte) ? char16_t(byte) : other++;
        }
        return characters;
    }();
    return alphabet;
}

bool from_byte_alphabet(std::string_view text, std::string& bytes) {
    static const auto values = byte_values();
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    bytes.clear();
    for (size_t at = 0; at < text.size();) {
        const char32_t code = next_code_point(data, at);
        if (code >= kCharacters || values[code] < 0) return false;
        bytes.push_back(char(values[code]));
    }
    return true;
}

}  // namespace headway
