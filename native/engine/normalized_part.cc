#include "engine/normalized_part.h"

#include <algorithm>

#include "text/aligned_text.h"
#include "text/utf8.h"

namespace headway {

NormalizedPart::NormalizedPart(const Part& part, const std::vector<Region>& regions,
                               const ByteAlias* alias, const Normalizer* normalizer) {
    bytes_.reserve(part.bytes.size());
    size_t done = 0;
    for (const Region& region : regions) {
        add_plain(part.bytes.substr(done, region.start - done), alias);
        AlignedText text(decode_utf8(part.bytes.substr(region.start, region.end - region.start)));
        if (normalizer) normalizer->apply(text);
        const size_t start = bytes_.size();
        bytes_ += encode_utf8(text.text);
        stretches_.push_back({region, {start, bytes_.size()}});
        done = region.end;
    }
    add_plain(part.bytes.substr(done), alias);
}

void NormalizedPart::add_plain(std::string_view bytes, const ByteAlias* alias) {
    const size_t start = bytes_.size();
    bytes_.append(bytes);
    if (!alias) return;
    for (size_t i = start; i < bytes_.size(); ++i) {
        bytes_[i] = char((*alias)[static_cast<unsigned char>(bytes_[i])]);
    }
}

NormalizedPart::Source NormalizedPart::source(size_t start, size_t end) const {
    // Stretches first..last - 1 have a part in it.
    const auto first = std::partition_point(
        stretches_.begin(), stretches_.end(),
        [&](const Stretch& stretch) { return stretch.normalized.end <= start; });
    const auto last = std::partition_point(
        first, stretches_.end(),
        [&](const Stretch& stretch) { return stretch.normalized.start < end; });
    const auto behind = [&](auto stretch, size_t place) {  // in the plain text behind `stretch`
        if (stretch == stretches_.begin()) return place;
        --stretch;
        return place - stretch->normalized.end + stretch->original.end;
    };
    Source source{behind(first, start), behind(last, end), first == last};
    if (first == last) return source;
    if (first->normalized.start <= start) source.start = first->original.start;
    const auto& [original, normalized] = *(last - 1);
    if (normalized.end >= end) source.end = original.end;
    return source;
}

}  // namespace headway
