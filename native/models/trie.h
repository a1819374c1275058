// A double-array trie over bytes: one step is one look into one array.
//
// Children of a node lie at base ^ byte, so all of them lie in one block of 256 nodes.
// Source: Aoe 1989, "An efficient digital search algorithm by using a double-array structure".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headway {

class Trie {
   public:
    static constexpr uint32_t kNone = UINT32_MAX;

    Trie() = default;
    // Of keys with their values; where a key is there twice, the last one counts.
    explicit Trie(std::vector<std::pair<std::string, uint32_t>> entries);

    uint32_t root() const { return 0; }

    // The child of a node by a byte; false where there is none.
    bool step(uint32_t& node, unsigned char byte) const {
        const uint32_t child = nodes_[node].base ^ byte;
        if (nodes_[child].parent != node) return false;
        node = child;
        return true;
    }

    // The value of the key that ends at a node, or kNone.
    uint32_t value(uint32_t node) const { return nodes_[node].value; }

    // The node that a string leads to, or kNone.
    uint32_t walk(uint32_t node, std::string_view bytes) const {
        for (const char byte : bytes) {
            if (!step(node, static_cast<unsigned char>(byte))) return kNone;
        }
        return node;
    }

   private:
    struct Node {
        uint32_t base = 0, parent = kNone, value = kNone;
    };
    struct Builder;

    // Base 0 in an empty trie leads to nodes without a parent.
    std::vector<Node> nodes_ = std::vector<Node>(256);
};

}  // namespace headway
