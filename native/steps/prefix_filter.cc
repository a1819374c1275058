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
// A cache near by holds all bits; the few places that they let pass for nothing are asked again.
constexpr size_t kBitsPerString = 8, kFewestBits = size_t(1) << 12, kMostBits = size_t(1) << 20;
// Where groups begin. A short string among long ones must not let everything pass.
constexpr size_t kLengths[] = {1, 3, 5, SIZE_MAX};

// Of as many first bytes as the mask says; its upper bits are those to use.
uint64_t hash(uint64_t bytes, uint64_t mask) { return ((bytes | kFold) & mask) * kFactor; }

// Two places among as many bits as `shift` leaves of a hash.
uint64_t first_place(uint64_t hash, unsigned shift) { return hash >> shift; }
uint64_t second_place(uint64_t hash, unsigned shift) {
    return (hash ^ hash >> 29) * kFactor >> shift;
}

bool has(const std::vector<uint64_t>& bits, uint64_t place) {
    return bits[place >> 6] >> (place & 63) & 1;
}

void set(std::vector<uint64_t>& bits, uint64_t place) {
    bits[place >> 6] |= uint64_t(1) << (place & 63);
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
        group.second_bits.resize(bits / 64);
        std::array<bool, 256> used{};
        for (const std::string_view string : members) {
            const uint64_t hashed = hash(first_bytes(string), group.mask);
            set(group.bits, first_place(hashed, group.shift));
            set(group.second_bits, second_place(hashed, group.shift));
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
        only_letters_ &= !(group.digits | group.spaces | group.punctuation | group.high | group.others);
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
    size_t told = 1;  // bytes from each place on
    for (; 2 * told <= width; told *= 2) all &= all >> told;
    all &= all >> (width - told);
    return all & ((uint64_t(1) << kPlaces) - 1);
}

uint64_t PrefixFilter::candidates(const unsigned char* text, bool exchange) const {
    AsciiMasks is;
    if (only_letters_) {
        is.letters = ascii_masks(text).letters;  // which is much less work than all masks
    } else {
        is = ascii_masks(text);
    }
    uint64_t found = 0;
    unsigned char exchanged[kSeen];
    exchange &= !folds_;
    for (const Group& group : groups_) {
        uint64_t left = group.possible(is);
        if (left && exchange) {
            for (size_t i = 0; i < kSeen; ++i) exchanged[i] = alias_[text[i]];
            text = exchanged;
            exchange = false;
        }
        const auto hash_at = [text, mask = group.mask](int place) {
            uint64_t bytes;
            std::memcpy(&bytes, text + place, sizeof bytes);
            return hash(bytes, mask);
        };
        uint64_t likely = 0;
        for (; left; left &= left - 1) {
            const int at = std::countr_zero(left);
            likely |= uint64_t(has(group.bits, first_place(hash_at(at), group.shift))) << at;
        }
        for (; likely; likely &= likely - 1) {
            const int at = std::countr_zero(likely);
            const uint64_t place = second_place(hash_at(at), group.shift);
            found |= uint64_t(has(group.second_bits, place)) << at;
        }
    }
    return found;
}

}  // namespace headway
