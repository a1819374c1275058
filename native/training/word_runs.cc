#include "training/word_runs.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace headway {

namespace {

constexpr size_t kBuffer = 1 << 18;

struct Head {  // of a word in the file; its bytes follow
    uint64_t count;
    uint32_t size;
};
constexpr size_t kHead = sizeof(uint64_t) + sizeof(uint32_t);

bool write_all(int file, const std::string& bytes, uint64_t at) {
    for (size_t done = 0; done < bytes.size();) {
        const ssize_t now = pwrite(file, &bytes[done], bytes.size() - done, off_t(at + done));
        if (now < 0 && errno == EINTR) continue;
        if (now <= 0) return false;
        done += size_t(now);
    }
    return true;
}

void append(std::string& bytes, std::string_view word, uint64_t count) {
    const auto size = uint32_t(word.size());
    bytes.append(reinterpret_cast<const char*>(&count), sizeof count);
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size).append(word);
}

}  // namespace

bool WordRuns::write(const std::vector<WordTable>& tables) {
    PagedVector<std::pair<std::string_view, uint64_t>> words;
    size_t count_all = 0;
    for (const WordTable& table : tables) count_all += table.size();
    words.reserve(count_all);
    for (const WordTable& table : tables) {
        table.each([&](std::string_view word, uint64_t count) { words.emplace_back(word, count); });
    }
    std::sort(words.begin(), words.end());
    Run run{size_, size_};
    std::string bytes;
    for (const auto& [word, count] : words) {
        append(bytes, word, count);
        if (bytes.size() < kBuffer) continue;
        if (!write_all(file_, bytes, run.end)) return false;
        run.end += bytes.size();
        bytes.clear();
    }
    if (!write_all(file_, bytes, run.end)) return false;
    run.end += bytes.size();
    size_ = run.end;
    runs_.push_back(run);
    return true;
}

// Reads one run from its first word on.
class WordRuns::Reader {
   public:
    Reader(int file, Run run) : file_(file), at_(run.start), end_(run.end) {}

    std::string_view word;
    uint64_t count = 0;

    enum State { kRead, kEnd, kFailed };
    State next() {
        if (!fill(kHead)) return failed_ ? kFailed : kEnd;
        Head head;
        std::memcpy(&head.count, &buffer_[place_], sizeof head.count);
        std::memcpy(&head.size, &buffer_[place_ + sizeof head.count], sizeof head.size);
        if (!fill(kHead + head.size)) return kFailed;
        count = head.count;
        word = std::string_view(buffer_).substr(place_ + kHead, head.size);
        place_ += kHead + head.size;
        return kRead;
    }

   private:
    // Makes so many bytes readable from `place_` on.
    bool fill(size_t wanted) {
        while (buffer_.size() - place_ < wanted) {
            if (at_ == end_) return false;
            buffer_.erase(0, place_);
            place_ = 0;
            const size_t kept = buffer_.size();
            const auto more = size_t(std::min<uint64_t>(kBuffer, end_ - at_));
            buffer_.resize(kept + more);
            const ssize_t now = pread(file_, &buffer_[kept], more, off_t(at_));
            buffer_.resize(kept + size_t(std::max<ssize_t>(now, 0)));
            if (now < 0 && errno == EINTR) continue;
            if (now <= 0) {
                failed_ = true;
                return false;
            }
            at_ += uint64_t(now);
        }
        return true;
    }

    int file_;
    uint64_t at_, end_;
    std::string buffer_;
    size_t place_ = 0;
    bool failed_ = false;
};

bool WordRuns::each(const VisitWord& visit) const {
    std::vector<std::unique_ptr<Reader>> readers;
    std::vector<Reader*> heap;
    const auto later = [](const Reader* a, const Reader* b) { return a->word > b->word; };
    // The reader of the smallest word comes first in the heap.
    const auto advance = [&](Reader* reader) {
        const Reader::State state = reader->next();
        if (state != Reader::kRead) return state == Reader::kEnd;
        heap.push_back(reader);
        std::push_heap(heap.begin(), heap.end(), later);
        return true;
    };
    for (const Run& run : runs_) {
        readers.push_back(std::make_unique<Reader>(file_, run));
        if (!advance(readers.back().get())) return false;
    }
    std::string word;
    uint64_t count = 0;
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        Reader* reader = heap.back();
        heap.pop_back();
        if (count && reader->word != word) {
            if (!visit(word, count)) return true;
            count = 0;
        }
        word.assign(reader->word);
        count += reader->count;
        if (!advance(reader)) return false;
    }
    if (count) visit(word, count);
    return true;
}

}  // namespace headway
