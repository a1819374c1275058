// Whoever waits for a training: hears how far it is, and may end it.
#pragma once

#include <cstdint>

namespace headway {

enum class Stage { kCounting, kMerging, kSeeding, kFitting };

class Watch {
   public:
    virtual ~Watch() = default;
    // Called often, from the thread that began the work; false ends it.
    virtual bool go_on(Stage stage, uint64_t done, uint64_t total) = 0;
};

}  // namespace headway
