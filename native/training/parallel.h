// Work that several threads share, which are started here and have ended when it is done.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace headway {

// Runs `task(i, thread)` for the numbers 0 to count - 1, until it returns false for one of them.
// Thread 0 is the calling one. What a task throws is thrown here, once all threads have ended.
template <class Task>
void share(size_t threads, size_t count, const Task& task) {
    std::atomic<size_t> next = 0;
    std::atomic<bool> stopped = false;
    std::exception_ptr thrown;
    std::mutex throwing;
    const auto run = [&](size_t thread) {
        try {
            for (size_t i; !stopped && (i = next++) < count;) {
                if (!task(i, thread)) stopped = true;
            }
        } catch (...) {
            const std::lock_guard held(throwing);
            thrown = std::current_exception();
            stopped = true;
        }
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run, i);
    run(0);
    for (std::thread& thread : others) thread.join();
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace headway
