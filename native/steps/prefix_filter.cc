#include "steps/prefix_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace headway {

namespace {

constexpr size_t kWidth = 8;  // the most first bytes that are looked at
constexpr uint64_t kFactor = 0x9E3779B97F4A7C15u;
// The hash takes capital letters for small ones, so that they need not be exchanged first.
constexpr uint64_t kFold = 0x2020202020202020u;
// Few places are let pass for nothing, and a cache near by holds all bits.
constexpr size_t kBitsPerString = 24, kFewestBits = size_t(1) << 12, kMostBits = size_t(1) << 20;
// Where groups begin. A short string among long ones must not let everything pass.
constexpr size_t kLengths[] = {1, 3, 5, SIZE_MAX};

// Of as many first bytes as the mask says.
uint64_t hash(uint64_t bytes, uint64_t mask, unsigned shift) {
    return (((bytes | kFold) & mask) * kFactor) >> shift;
}

uint64_t first_bytes(std::string_view string) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, string.data(), std::min(string.size(), kWidth));
    return bytes;
}

// Whether the hash takes each byte that counts as one of these for that one.
bool folds(const std::array<bool, 256>& used, const ByteAlias& alias) {
    constexpr unsigned kBit = kFold & 0xFF;
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (used[alias[byte]] && (alias[byte] | kBit) != (byte | kBit)) return false;
    }
    return true;
}

}  // namespace

PrefixFilter::PrefixFilter(const std::vector<std::string_view>& strings, const ByteAlias* alias) {
    if (alias) alias_ = *alias;
    for (size_t length = 0; length + 1 < std::size(kLengths); ++length) {
        std::vector<std::string_view> members;
        Group group;
        for (const std::string_view string : strings) {
            if (string.size() < kLengths[length] || string.size() >= kLengths[length + 1]) continue;
            members.push_back(string);
            group.width = std::min(group.width, string.size());
        }
        if (members.empty()) continue;
        const size_t bits =
            std::clamp(std::bit_ceil(members.size() * kBitsPerString), kFewestBits, kMostBits);
        group.shift = unsigned(64 - std::countr_zero(bits));
        group.mask = ~uint64_t(0) >> 8 * (kWidth - group.width);
        group.bits.resize(bits / 64);
        std::array<bool, 256> used{};
        for (const std::string_view string : members) {
            const uint64_t place = hash(first_bytes(string), group.mask, group.shift);
            group.bits[place >> 6] |= uint64_t(1) << (place & 63);
            for (size_t i = 0; i < group.width; ++i) {
                used[static_cast<unsigned char>(string[i])] = true;
            }
        }
        folds_ &= !alias || folds(used, alias_);
        for (unsigned byte = 0; byte < 256; ++byte) {
            if (used[byte] || (alias && used[alias_[byte]])) {
                group.use(static_cast<unsigned char>(byte));
            }
        }
        groups_.push_back(std::move(group));
    }
}

void PrefixFilter::Group::use(unsigned char byte) {
    unsigned char bytes[64];
    std::fill(std::begin(bytes), std::end(bytes), byte);
    const AsciiMasks is = ascii_masks(bytes);  // all ones, or nothing
    letters |= is.letters;
    digits |= is.digits;
    spaces |= is.spaces;
    punctuation |= is.punctuation;
    high |= is.high;
    if (!(is.letters | is.digits | is.spaces | is.punctuation | is.high)) others = ~uint64_t(0);
}

// The places from which on as many bytes as the group looks at are of its kinds.
uint64_t PrefixFilter::Group::possible(const AsciiMasks& is) const {
    const uint64_t here = (is.letters & letters) | (is.digits & digits) | (is.spaces & spaces) |
                          (is.punctuation & punctuation) | (is.high & high) | others;
    uint64_t all = here;
    for (size_t i = 1; i < width; ++i) all &= here >> i;
    return all & ((uint64_t(1) << kPlaces) - 1);
}

uint64_t PrefixFilter::candidates(const unsigned char* text, bool exchange) const {
    const AsciiMasks is = ascii_masks(text);
    uint64_t found = 0;
    unsigned char exchanged[kSeen];
    exchange &= !folds_;
    for (const Group& group : groups_) {
        const uint64_t* bits = group.bits.data();
        const uint64_t mask = group.mask;
        const unsigned shift = group.shift;
        uint64_t left = group.possible(is);
        if (left && exchange) {
            for (size_t i = 0; i < kSeen; ++i) exchanged[i] = alias_[text[i]];
            text = exchanged;
            exchange = false;
        }
        for (; left; left &= left - 1) {
            const int place = std::countr_zero(left);
            uint64_t bytes;
            std::memcpy(&bytes, text + place, sizeof bytes);
            const uint64_t at = hash(bytes, mask, shift);
            found |= (bits[at >> 6] >> (at & 63) & 1) << place;
        }
    }
    return found;
}

}  // namespace headway
