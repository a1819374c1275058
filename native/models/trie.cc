#include "models/trie.h"

#include <algorithm>

namespace headway {

namespace {

constexpr uint32_t kBlock = 256;
constexpr size_t kOpenBlocks = 24;  // blocks that are still tried; older ones stay as full as they are

}  // namespace

// Places the nodes level by level; keys are sorted, so a node is a range of them.
struct Trie::Builder {
    struct Range {
        uint32_t node;
        size_t begin, end, depth;
    };

    explicit Builder(std::vector<Node>& nodes) : nodes(nodes) {}

    std::vector<Node>& nodes;
    std::vector<char> taken;
    std::vector<uint32_t> free_in_block;

    void add_block() {
        nodes.resize(nodes.size() + kBlock);
        taken.resize(nodes.size(), 0);
        free_in_block.push_back(kBlock);
    }

    void take(uint32_t place) {
        taken[place] = 1;
        --free_in_block[place / kBlock];
    }

    bool fits(uint32_t base, const std::vector<unsigned char>& labels) const {
        return std::none_of(labels.begin(), labels.end(),
                            [&](unsigned char label) { return taken[base ^ label]; });
    }

    // A base at which all children find a free place, near the end of the array.
    uint32_t base_for(const std::vector<unsigned char>& labels) {
        const size_t blocks = free_in_block.size();
        for (size_t block = blocks - std::min(blocks, kOpenBlocks); block < blocks; ++block) {
            if (free_in_block[block] < labels.size()) continue;
            for (uint32_t low = 0; low < kBlock; ++low) {
                const uint32_t base = uint32_t(block) * kBlock + low;
                if (fits(base, labels)) return base;
            }
        }
        add_block();
        return uint32_t(blocks) * kBlock;
    }
};

Trie::Trie(std::vector<std::pair<std::string, uint32_t>> entries) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    nodes_.clear();
    Builder builder(nodes_);
    builder.add_block();
    builder.take(0);
    nodes_[0].parent = kNone - 1;  // nobody's child
    std::vector<Builder::Range> level = {{0, 0, entries.size(), 0}};
    std::vector<unsigned char> labels;
    std::vector<size_t> borders;
    while (!level.empty()) {
        std::vector<Builder::Range> below;
        for (auto [node, begin, end, depth] : level) {
            for (; begin < end && entries[begin].first.size() == depth; ++begin) {
                nodes_[node].value = entries[begin].second;
            }
            if (begin == end) continue;
            labels.clear();
            borders.clear();
            for (size_t i = begin; i < end; ++i) {
                const auto label = static_cast<unsigned char>(entries[i].first[depth]);
                if (labels.empty() || labels.back() != label) {
                    labels.push_back(label);
                    borders.push_back(i);
                }
            }
            borders.push_back(end);
            const uint32_t base = builder.base_for(labels);
            nodes_[node].base = base;
            for (size_t i = 0; i < labels.size(); ++i) {
                const uint32_t child = base ^ labels[i];
                builder.take(child);
                nodes_[child].parent = node;
                below.push_back({child, borders[i], borders[i + 1], depth + 1});
            }
        }
        level = std::move(below);
    }
    // A node without children has base 0: its step leads to a child of the root or to nobody's, and
    // neither has it as a parent. Node 0 itself is nobody's child.
}

}  // namespace headway
