// Feeds random and mutated texts to engines of every kind, made of random vocabularies, for some
// seconds; built with sanitizers, which end it where memory or threads are misused. It also checks
// that shortcuts and steps agree.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/bert_path.h"
#include "engine/byte_level_path.h"
#include "engine/column.h"
#include "engine/engine.h"
#include "engine/metaspace_path.h"
#include "models/bpe.h"
#include "models/sentencepiece.h"
#include "models/unigram.h"
#include "models/wordpiece.h"
#include "steps/finders.h"
#include "steps/normalizers.h"
#include "steps/patterns.h"
#include "steps/pretokenizers.h"
#include "steps/sentencepiece_normalizer.h"
#include "text/byte_alphabet.h"
#include "text/utf8.h"

using namespace headway;

namespace {

using Random = std::mt19937_64;

size_t below(Random& random, size_t limit) { return random() % limit; }

std::string random_text(Random& random) {
    static const std::vector<std::string> pieces = {
        " ",  "  ", "the", "The", "don't", "'s",  "\n",  "\t",  "\r\n", "12",  "3",   ".",
        ",",  "é",  "e\u0301", "\u0301", "你好", "▁", "😀", "\u200d", "\u00a0", "ﬁ",  "\u3000", "ß",
        "a",  "b",  "ab", "<s>", "[MASK]", "x", std::string(1, '\0'), "\x7f", "İ", "각", "\u1100\u1161"};
    std::string text;
    const size_t count = below(random, 40);
    for (size_t i = 0; i < count; ++i) {
        const size_t kind = below(random, 10);
        if (kind < 7) {
            text += pieces[below(random, pieces.size())];
        } else if (kind < 9) {
            char32_t code = char32_t(below(random, 0x110000));
            if (code >= 0xD800 && code < 0xE000) code = 'z';
            append_utf8(text, code);
        } else {
            text.append(below(random, 90), char('a' + below(random, 3)));
        }
    }
    if (below(random, 20) == 0) {  // not UTF-8 any more, mostly
        for (int i = 0; i < 3 && !text.empty(); ++i) {
            text[below(random, text.size())] = char(below(random, 256));
        }
    }
    return text;
}

Vocabulary random_vocabulary(Random& random, const std::vector<std::string>& always) {
    std::set<std::string> tokens(always.begin(), always.end());
    for (size_t i = 0; i < 60; ++i) {
        std::string token = random_text(random).substr(0, 1 + below(random, 8));
        if (first_invalid_utf8(token) == token.size() && !token.empty()) tokens.insert(token);
    }
    Vocabulary vocabulary;
    for (const std::string& token : tokens) vocabulary.emplace_back(token, uint32_t(vocabulary.size()));
    return vocabulary;
}

// Tokens to be looked for in normalized text: none, few or many; sometimes what stands around matters.
std::vector<AddedToken> random_added(Random& random, const NormalizerPtr& normalizer) {
    std::vector<AddedToken> tokens;
    std::set<std::string> forms;
    const size_t count = below(random, 2) ? below(random, 60) : below(random, 4);
    const bool looks_around = below(random, 3) == 0;
    for (size_t i = 0; i < count; ++i) {
        std::string form = random_text(random).substr(0, 1 + below(random, 12));
        if (first_invalid_utf8(form) != form.size()) continue;
        AlignedText text(decode_utf8(form));
        if (normalizer) normalizer->apply(text);
        form = encode_utf8(text.text);
        if (form.empty() || !forms.insert(form).second) continue;
        const auto flag = [&] { return looks_around && below(random, 3) == 0; };
        tokens.push_back({uint32_t(1000 + i), form, flag(), flag(), flag()});
    }
    return tokens;
}

Engine wordpiece_engine(Random& random) {
    const Vocabulary vocabulary =
        random_vocabulary(random, {"[UNK]", "a", "##a", "b", "##b", "the", "##e", "."});
    const auto model = std::make_shared<WordPiece>(vocabulary, "[UNK]", "##", 1 + below(random, 99));
    const bool clean = below(random, 2), lowercase = below(random, 2);
    const auto normalizer = bert_normalizer({clean, true, lowercase, lowercase});
    const auto pretokenizer = bert_pretokenizer();
    return Engine({{{7, "[MASK]", false, true, false}}, random_added(random, normalizer), normalizer, pretokenizer, model,
                   std::make_shared<BertPath>(clean, lowercase,
                                              RegionEncoder(normalizer, pretokenizer, model), model),
                   {}});
}

Engine byte_level_engine(Random& random) {
    Vocabulary vocabulary;
    for (const char16_t character : byte_alphabet()) {
        std::string token;
        append_utf8(token, character);
        vocabulary.emplace_back(token, uint32_t(vocabulary.size()));
    }
    std::vector<Merge> merges;
    std::set<std::string> known;
    for (int i = 0; i < 200; ++i) {
        const auto left = uint32_t(below(random, vocabulary.size()));
        const auto right = uint32_t(below(random, vocabulary.size()));
        const std::string merged = vocabulary[left].first + vocabulary[right].first;
        if (merged.size() > 12 || !known.insert(merged).second) continue;
        merges.push_back({left, right, uint32_t(vocabulary.size())});
        vocabulary.emplace_back(merged, uint32_t(vocabulary.size()));
    }
    BpeOptions options;
    options.ignore_merges = below(random, 2);
    const auto model = std::make_shared<Bpe>(vocabulary, merges, options);
    const auto splitter = published_splitter(
        R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
    const bool prefix = below(random, 2);
    return Engine({{{3, "<s>", true, false, true}}, random_added(random, nullptr), nullptr,
                   byte_level_pretokenizer(prefix, find_words(splitter)), model,
                   std::make_shared<ByteLevelPath>(splitter, model, prefix),
                   {TrimSpaces(vocabulary, prefix)}});
}

Engine unigram_engine(Random& random) {
    std::vector<std::pair<std::string, double>> scores = {{"<unk>", 0.0}, {"▁", -2.0}};
    for (const auto& entry : random_vocabulary(random, {"a", "▁the", "e"})) {
        scores.emplace_back(entry.first, -1.0 - double(below(random, 100)) / 10);
    }
    const auto model = std::make_shared<Unigram>(scores, 0, below(random, 2));
    const auto normalizer = normal_form_normalizer(NormalForm::kNfkc);
    const auto pretokenizer = pretokenizer_sequence(
        {whitespace_split_pretokenizer(),
         metaspace_pretokenizer(U'▁', MetaspaceScheme::kAlways, true)});
    return Engine({{}, random_added(random, normalizer), normalizer, pretokenizer, model,
                   std::make_shared<MetaspacePath>(MetaspaceOptions{normalizer, "", {}}, model), {}});
}

Engine sentencepiece_engine(Random& random) {
    std::vector<SpmPiece> pieces = {{"<unk>", 0, SpmPiece::kUnknown}, {"▁", -2, SpmPiece::kNormal}};
    for (const auto& entry : random_vocabulary(random, {"a", "▁the", "e"})) {
        if (entry.first.find("▁", 1) != std::string::npos) continue;
        // Scores that are often alike, so that rounding decides.
        pieces.push_back({entry.first, -1.0f - float(below(random, 4)) / 3, SpmPiece::kNormal});
    }
    const auto model = std::make_shared<const SpmUnigram>(pieces, false);
    FastPathPtr fast;
    if (model->words_apart()) {
        const MetaspaceOptions options{nullptr, "", MetaspaceOptions::kFirstSpace};
        fast = std::make_shared<MetaspacePath>(options, model);
    }
    return Engine({{}, {}, sentencepiece_normalizer({}), nullptr, model, fast, {}});
}

struct Encoded {
    Failure failure;
    Tokens tokens;

    void print() const {
        std::printf("%d %zu:", failure.kind, failure.place);
        for (size_t i = 0; i < tokens.ids.size(); ++i) {
            std::printf(" %u(%u-%u %u)", tokens.ids[i], tokens.starts[i], tokens.ends[i],
                        tokens.words[i]);
        }
        std::printf("\n");
    }

    bool operator==(const Encoded& other) const {
        if (failure.kind != other.failure.kind || failure.place != other.failure.place) return false;
        if (failure) return true;
        const auto same = [](const Buffer<uint32_t>& a, const Buffer<uint32_t>& b) {
            return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
        };
        return same(tokens.ids, other.tokens.ids) && same(tokens.starts, other.tokens.starts) &&
               same(tokens.ends, other.tokens.ends) && same(tokens.words, other.tokens.words);
    }
};

Encoded encode(const Engine& engine, const std::string& text, bool step_by_step) {
    Encoded found;
    found.tokens.wanted = {true, true};
    auto worker = engine.take_worker();
    worker->wants_slow = step_by_step;
    found.failure = engine.encode(text, *worker, found.tokens);
    worker->wants_slow = false;
    engine.give_back(std::move(worker));
    return found;
}

bool columns_agree(const Engine& engine, const std::vector<std::string>& texts) {
    std::string bytes;
    std::vector<int64_t> borders = {0};
    for (const std::string& text : texts) {
        if (first_invalid_utf8(text) == text.size()) bytes += text;
        borders.push_back(int64_t(bytes.size()));
    }
    const std::vector<TextChunk> chunks = {
        {borders.data(), true, bytes.data(), nullptr, 0, int64_t(texts.size())}};
    EncodedColumn one, many;
    const bool failed = bool(encode_column(engine, chunks, {{1}, {2}}, {true, true}, 1, one));
    if (failed != bool(encode_column(engine, chunks, {{1}, {2}}, {true, true}, 3, many))) return false;
    return failed || (one.tokens.ids.size() == many.tokens.ids.size() &&
                      std::equal(one.tokens.ids.data(),
                                 one.tokens.ids.data() + one.tokens.ids.size(),
                                 many.tokens.ids.data()));
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
    Random random(argc > 2 ? uint64_t(std::atoll(argv[2])) : 0);
    const auto start = std::chrono::steady_clock::now();
    size_t texts = 0;
    while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds) {
        Engine (*const makers[])(Random&) = {wordpiece_engine, byte_level_engine, unigram_engine,
                                             sentencepiece_engine};
        for (size_t number = 0; number < std::size(makers); ++number) {
            const Engine engine = makers[number](random);
            std::vector<std::string> some;
            for (int i = 0; i < 60; ++i, ++texts) {
                some.push_back(random_text(random));
                const Encoded slow = encode(engine, some.back(), true);
                const Encoded fast = encode(engine, some.back(), false);
                if (slow == fast) continue;
                std::printf("engine %zu differs from its steps on: %s\n", number,
                            some.back().c_str());
                slow.print();
                fast.print();
                return 1;
            }
            for (int i = 0; i < 3000; ++i) some.push_back(some[below(random, 60)]);
            if (!columns_agree(engine, some)) {
                std::printf("columns differ with the number of threads\n");
                return 1;
            }
        }
    }
    std::printf("%zu texts\n", texts);
    return 0;
}
