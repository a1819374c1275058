// What encoding writes: one column an attribute, one row a token.
#pragma once

#include <cstdint>

#include "engine/buffer.h"

namespace headway {

// Which columns are wanted besides ids.
struct Wanted {
    bool offsets = false;
    bool words = false;
};

struct Tokens {
    Wanted wanted;
    Buffer<uint32_t> ids;
    Buffer<uint32_t> starts, ends;  // characters of the text that the token came from
    Buffer<uint32_t> words;         // number of the piece that it belongs to
    uint32_t word = 0;              // number of the next piece

    // Room for `more` further tokens.
    void reserve_more(size_t more) {
        each_wanted([more](Buffer<uint32_t>& column) { column.reserve_more(more); });
    }
    bool has_room(size_t more) const {
        return ids.has_room(more) &&
               (!wanted.offsets || (starts.has_room(more) && ends.has_room(more))) &&
               (!wanted.words || words.has_room(more));
    }

    // Takes in tokens whose room is there.
    void advance(size_t count) {
        each_wanted([count](Buffer<uint32_t>& column) { column.advance(count); });
    }

    void clear() {
        for (Buffer<uint32_t>* column : {&ids, &starts, &ends, &words}) column->clear();
    }

    void push(uint32_t id, uint32_t start, uint32_t end) {
        ids.push(id);
        if (wanted.offsets) {
            starts.push(start);
            ends.push(end);
        }
        if (wanted.words) words.push(word);
    }

   private:
    template <class Change>
    void each_wanted(const Change& change) {
        change(ids);
        if (wanted.offsets) {
            change(starts);
            change(ends);
        }
        if (wanted.words) change(words);
    }
};

}  // namespace headway
