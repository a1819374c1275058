// The classes and functions of headway.tokenizer._native.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <memory>

#include "bindings/columns.h"
#include "engine/arrow.h"
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
#include "text/utf8.h"
#include "training/bpe_trainer.h"
#include "training/measure.h"
#include "training/unigram_trainer.h"
#include "training/word_counter.h"

namespace nb = nanobind;
using namespace headway;
using namespace nb::literals;

namespace {

// A vocabulary as Python has it: token -> id.
Vocabulary vocabulary_of(const nb::dict& tokens) {
    Vocabulary vocabulary;
    vocabulary.reserve(tokens.size());
    for (const auto& [token, id] : tokens) {
        vocabulary.emplace_back(nb::cast<std::string>(token), nb::cast<uint32_t>(id));
    }
    return vocabulary;
}

void bind_models(nb::module_& m) {
    nb::class_<Model>(m, "Model", "Cuts one piece of text into tokens.")
        .def("tokenize", [](const Model& model, std::string_view piece) {
            std::vector<Piece> pieces;
            const bool known = model.tokenize(piece, pieces);
            nb::list found;
            for (const Piece& p : pieces) found.append(nb::make_tuple(p.id, p.start, p.end));
            return nb::make_tuple(known, found);
        });
    nb::class_<Bpe, Model>(m, "Bpe")
        .def(
            "__init__",
            [](Bpe* self, const nb::dict& vocabulary,
               const std::vector<std::tuple<uint32_t, uint32_t, uint32_t>>& merges,
               const std::optional<std::string>& unknown, bool fuse_unknown, bool byte_fallback,
               bool ignore_merges, std::string prefix, std::string suffix) {
                BpeOptions options;
                options.has_unknown = unknown.has_value();
                options.unknown = unknown.value_or("");
                options.fuse_unknown = fuse_unknown;
                options.byte_fallback = byte_fallback;
                options.ignore_merges = ignore_merges;
                options.prefix = std::move(prefix);
                options.suffix = std::move(suffix);
                std::vector<Merge> ranked;
                ranked.reserve(merges.size());
                for (const auto& [left, right, merged] : merges) {
                    ranked.push_back({left, right, merged});
                }
                new (self) Bpe(vocabulary_of(vocabulary), ranked, std::move(options));
            },
            "vocabulary"_a, "merges"_a, nb::kw_only(), "unknown"_a = nb::none(),
            "fuse_unknown"_a = false, "byte_fallback"_a = false, "ignore_merges"_a = false,
            "prefix"_a = "", "suffix"_a = "")
        .def_prop_ro("has_all_bytes", &Bpe::has_all_bytes);
    nb::class_<WordPiece, Model>(m, "WordPiece")
        .def(
            "__init__",
            [](WordPiece* self, const nb::dict& vocabulary, const std::string& unknown,
               const std::string& prefix, uint64_t longest_word) {
                new (self) WordPiece(vocabulary_of(vocabulary), unknown, prefix, longest_word);
            },
            "vocabulary"_a, "unknown"_a, "prefix"_a, "longest_word"_a);
    nb::class_<WordLevel, Model>(m, "WordLevel")
        .def(
            "__init__",
            [](WordLevel* self, const nb::dict& vocabulary, const std::string& unknown) {
                new (self) WordLevel(vocabulary_of(vocabulary), unknown);
            },
            "vocabulary"_a, "unknown"_a);
    nb::class_<Unigram, Model>(m, "Unigram")
        .def(
            "__init__",
            [](Unigram* self, const std::vector<std::pair<std::string, double>>& scores,
               std::optional<uint32_t> unknown, bool byte_fallback) {
                new (self) Unigram(scores, unknown.value_or(Trie::kNone), byte_fallback);
            },
            "scores"_a, "unknown"_a.none(), "byte_fallback"_a = false);
}

std::vector<SpmPiece> spm_pieces(
    const std::vector<std::tuple<std::string, double, int>>& entries) {
    std::vector<SpmPiece> pieces;
    for (const auto& [text, score, kind] : entries) {
        pieces.push_back({text, float(score), SpmPiece::Kind(kind)});
    }
    return pieces;
}

template <class SpmModel>
void bind_spm_model(nb::module_& m, const char* name) {
    nb::class_<SpmModel, Model>(m, name).def(
        "__init__",
        [](SpmModel* self, const std::vector<std::tuple<std::string, double, int>>& pieces,
           bool byte_fallback) { new (self) SpmModel(spm_pieces(pieces), byte_fallback); },
        "pieces"_a, "byte_fallback"_a);
}

void bind_fast_paths(nb::module_& m) {
    nb::class_<Splitter>(m, "Splitter", "A published split pattern, matched by hand.")
        .def("cut", [](const Splitter& splitter, std::string_view text) {
            std::vector<uint32_t> ends;
            uint32_t some[256];
            size_t at = 0;
            const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
            while (const size_t count = splitter.cut(bytes, text.size(), at, some, 256)) {
                ends.insert(ends.end(), some, some + count);
            }
            return ends;
        });
    const auto shared = [](SplitterPtr splitter) {
        return std::const_pointer_cast<Splitter>(std::move(splitter));
    };
    m.def(
        "published_splitter",
        [shared](std::string_view pattern) { return shared(published_splitter(pattern)); },
        nb::sig("def published_splitter(pattern: str) -> Splitter | None"));
    m.def("digit_splitter", [shared](bool individual) { return shared(digit_splitter(individual)); });
    m.def("chained", [shared](std::shared_ptr<Splitter> first, std::shared_ptr<Splitter> second) {
        return shared(chained(std::move(first), std::move(second)));
    });
    nb::class_<FastPath>(m, "FastPath", "A shortcut for pipelines of a usual kind.");
    m.def("byte_level_path",
          [](std::shared_ptr<Splitter> splitter, std::shared_ptr<Bpe> model, bool prefix_space)
              -> std::shared_ptr<FastPath> {
              return std::make_shared<ByteLevelPath>(std::move(splitter), std::move(model),
                                                     prefix_space);
          });
    m.def(
        "bert_path",
          [](bool clean_text, bool lowercase, std::shared_ptr<Normalizer> normalizer,
             std::shared_ptr<PreTokenizer> pretokenizer,
             std::shared_ptr<Model> model) -> std::shared_ptr<FastPath> {
              RegionEncoder steps(std::move(normalizer), std::move(pretokenizer), model);
              return std::make_shared<BertPath>(clean_text, lowercase, std::move(steps),
                                                std::move(model));
          },
        "clean_text"_a, "lowercase"_a, "normalizer"_a.none(), "pretokenizer"_a.none(), "model"_a);
    nb::enum_<MetaspaceOptions::Mark>(m, "Mark", "What the mark before a word stands for.")
        .value("FIRST_CHARACTER", MetaspaceOptions::kFirstCharacter)
        .value("FIRST_SPACE", MetaspaceOptions::kFirstSpace)
        .value("LAST_SPACE", MetaspaceOptions::kLastSpace);
    m.def(
        "metaspace_path",
        [](std::shared_ptr<Normalizer> normalizer, std::string contextual,
           MetaspaceOptions::Mark mark,
           std::shared_ptr<Model> model) -> std::shared_ptr<FastPath> {
            MetaspaceOptions options{std::move(normalizer), std::move(contextual), mark};
            if (auto unigram = std::dynamic_pointer_cast<SpmUnigram>(model)) {
                if (!unigram->words_apart()) return nullptr;
                return std::make_shared<MetaspacePath>(
                    std::move(options), std::shared_ptr<const SpmUnigram>(std::move(unigram)));
            }
            return std::make_shared<MetaspacePath>(std::move(options), ModelPtr(std::move(model)));
        },
        "normalizer"_a.none(), "contextual"_a, "mark"_a, "model"_a);
}

nb::object failure_of(const Failure& failure, int64_t row) {
    constexpr const char* kKinds[] = {"", "not UTF-8", "unknown text", "too long"};
    return nb::make_tuple(kKinds[failure.kind], failure.place,
                          nb::bytes(failure.text.data(), failure.text.size()), row);
}

template <class T>
nb::list list_of(const Buffer<T>& column) {
    nb::list values;
    for (size_t i = 0; i < column.size(); ++i) values.append(column[i]);
    return values;
}

// ids, starts, ends, words and the tokens that are shown otherwise; or what is wrong.
nb::object encode_text(const Engine& engine, std::string_view text, bool step_by_step,
                       bool surfaces) {
    Tokens out;
    out.wanted = {true, true};
    std::unique_ptr<Worker> worker = engine.take_worker();
    worker->wants_slow = step_by_step;
    worker->wants_surfaces = surfaces;
    const Failure failure = engine.encode(text, *worker, out);
    worker->wants_slow = worker->wants_surfaces = false;
    nb::list shown;
    if (!failure && surfaces) {
        for (const auto& [row, token] : worker->surfaces) shown.append(nb::make_tuple(row, token));
    }
    engine.give_back(std::move(worker));
    if (failure) return failure_of(failure, 0);
    return nb::make_tuple(list_of(out.ids), list_of(out.starts), list_of(out.ends),
                          list_of(out.words), shown);
}

// A column given as pairs of capsules, one a chunk.
std::vector<TextChunk> text_chunks(const std::vector<std::pair<nb::object, nb::object>>& capsules) {
    std::vector<TextChunk> chunks(capsules.size());
    for (size_t i = 0; i < capsules.size(); ++i) {
        const auto* schema = pointer_in<ArrowSchema>(capsules[i].first, "arrow_schema");
        const auto* array = pointer_in<ArrowArray>(capsules[i].second, "arrow_array");
        if (!view_texts(*schema, *array, chunks[i])) throw nb::type_error("not a column of strings");
    }
    return chunks;
}

nb::object encode_chunks(const Engine& engine,
                         const std::vector<std::pair<nb::object, nb::object>>& capsules,
                         Around around, bool offsets, bool words, unsigned threads) {
    const std::vector<TextChunk> chunks = text_chunks(capsules);
    EncodedColumn column;
    ColumnFailure failure;
    {
        nb::gil_scoped_release released;
        failure = encode_column(engine, chunks, around, {offsets, words}, threads, column);
    }
    if (failure) return failure_of(failure.failure, failure.row);
    Columns columns;
    export_columns(std::move(column), &columns.schema, &columns.array);
    return nb::cast(std::move(columns));
}

void bind_engine(nb::module_& m) {
    nb::class_<TrimSpaces>(m, "TrimSpaces")
        .def("__init__", [](TrimSpaces* self, const nb::dict& vocabulary, bool prefix_space) {
            new (self) TrimSpaces(vocabulary_of(vocabulary), prefix_space);
        });
    nb::class_<AddedToken>(m, "AddedToken")
        .def("__init__", [](AddedToken* self, uint32_t id, std::string form, bool single_word,
                            bool lstrip, bool rstrip) {
            new (self) AddedToken{id, std::move(form), single_word, lstrip, rstrip};
        });
    nb::class_<Columns>(m, "Columns", "Encoded columns; any Arrow library takes them over.")
        .def("__arrow_c_array__", [](Columns& columns, const nb::object&) {
            return columns.capsules();
        }, "requested_schema"_a = nb::none());
    nb::class_<Engine>(m, "Engine", "The pipeline from text to tokens.")
        .def(
            "__init__",
            [](Engine* self, std::vector<AddedToken> raw, std::vector<AddedToken> normalized,
               std::shared_ptr<Normalizer> normalizer, std::shared_ptr<PreTokenizer> pretokenizer,
               std::shared_ptr<Model> model, std::shared_ptr<FastPath> fast,
               std::vector<TrimSpaces> trims) {
                new (self) Engine({std::move(raw), std::move(normalized), std::move(normalizer),
                                   std::move(pretokenizer), std::move(model), std::move(fast),
                                   std::move(trims)});
            },
            "raw"_a, "normalized"_a, "normalizer"_a.none(), "pretokenizer"_a.none(), "model"_a,
            "fast"_a.none(), "trims"_a)
        .def("encode_text", &encode_text, "text"_a, "step_by_step"_a = false, "surfaces"_a = false)
        .def("encode_chunks",
             [](const Engine& engine,
                const std::vector<std::pair<nb::object, nb::object>>& capsules,
                std::vector<uint32_t> before, std::vector<uint32_t> behind, bool offsets,
                bool words, unsigned threads) {
                 return encode_chunks(engine, capsules, {std::move(before), std::move(behind)},
                                      offsets, words, threads);
             },
             "capsules"_a, nb::kw_only(), "before"_a, "behind"_a, "offsets"_a, "words"_a,
             "threads"_a);
}

std::u32string characters_of(const nb::str& text) {
    std::u32string characters(size_t(PyUnicode_GetLength(text.ptr())), U'\0');
    auto* room = reinterpret_cast<Py_UCS4*>(characters.data());
    if (!characters.empty() &&
        !PyUnicode_AsUCS4(text.ptr(), room, Py_ssize_t(characters.size()), 0)) {
        throw nb::python_error();
    }
    return characters;
}

nb::str str_of(std::u32string_view text) {
    return nb::steal<nb::str>(PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, text.data(),
                                                        Py_ssize_t(text.size())));
}

// The text and, character by character, where in the original it begins and ends.
nb::tuple aligned_tuple(const AlignedText& text) {
    nb::list starts, ends;
    for (uint32_t i = 0; i < text.text.size(); ++i) {
        const auto [start, end] = text.span(i, i + 1);
        starts.append(start);
        ends.append(end);
    }
    return nb::make_tuple(str_of(text.text), starts, ends);
}

// A step as Python holds it; nothing there can change it.
template <class Step>
std::shared_ptr<Step> shared(std::shared_ptr<const Step> step) {
    return std::const_pointer_cast<Step>(std::move(step));
}

Charsmap rules_of(const nb::bytes& table) {
    auto rules = Charsmap::read({table.c_str(), table.size()});
    if (!rules) throw nb::value_error("not a table of normalization rules");
    return *std::move(rules);
}

struct Finder {
    FindSpans find;
};

// Asks a Python function from a text to a list of spans, from whatever thread.
FindSpans find_by(nb::callable function) {
    return [function = std::move(function)](std::u32string_view text) {
        nb::gil_scoped_acquire held;
        return nb::cast<std::vector<Span>>(function(str_of(text)));
    };
}

void bind_finders(nb::module_& m) {
    nb::class_<Finder>(m, "Finder", "Finds the spans of a pattern in a text.");
    m.def("find_text", [](const nb::str& text) { return Finder{find_text(characters_of(text))}; });
    m.def("find_runs", [](const nb::str& characters, uint32_t least, uint32_t most) {
        return Finder{find_runs(characters_of(characters), least, most)};
    });
    m.def("find_words", [](std::shared_ptr<Splitter> splitter) {
        return Finder{find_words(std::move(splitter))};
    });
    m.def("find_by", [](nb::callable function) { return Finder{find_by(std::move(function))}; });
}

void bind_normalizers(nb::module_& m) {
    using Made = std::shared_ptr<Normalizer>;
    nb::class_<Normalizer>(m, "Normalizer", "Changes a text before it is cut.");
    m.def(
        "bert_normalizer",
        [](bool clean_text, bool space_chinese, bool strip_accents, bool lowercase) -> Made {
            return shared(bert_normalizer({clean_text, space_chinese, strip_accents, lowercase}));
        },
        nb::kw_only(), "clean_text"_a, "space_chinese"_a, "strip_accents"_a, "lowercase"_a);
    m.def("lowercase_normalizer", []() -> Made { return shared(lowercase_normalizer()); });
    nb::enum_<NormalForm>(m, "NormalForm")
        .value("NFC", NormalForm::kNfc)
        .value("NFD", NormalForm::kNfd)
        .value("NFKC", NormalForm::kNfkc)
        .value("NFKD", NormalForm::kNfkd);
    m.def("normal_form_normalizer",
          [](NormalForm form) -> Made { return shared(normal_form_normalizer(form)); });
    m.def("nmt_normalizer", []() -> Made { return shared(nmt_normalizer()); });
    m.def("strip_accents_normalizer", []() -> Made { return shared(strip_accents_normalizer()); });
    m.def(
        "strip_normalizer",
        [](bool left, bool right) -> Made { return shared(strip_normalizer(left, right)); },
        nb::kw_only(), "left"_a, "right"_a);
    m.def("byte_level_normalizer", []() -> Made { return shared(byte_level_normalizer()); });
    m.def("prepend_normalizer", [](const nb::str& content) -> Made {
        return shared(prepend_normalizer(characters_of(content)));
    });
    m.def("replace_normalizer", [](const Finder& finder, const nb::str& content) -> Made {
        return shared(replace_normalizer(finder.find, characters_of(content)));
    });
    m.def("precompiled_normalizer", [](const nb::bytes& table) -> Made {
        return shared(precompiled_normalizer(rules_of(table)));
    });
    m.def(
        "sentencepiece_normalizer",
        [](const nb::bytes& table, std::vector<std::string> symbols, bool remove_spaces,
           bool escape_spaces, bool dummy_prefix, bool space_as_suffix) -> Made {
            std::optional<Charsmap> rules;
            if (table.size()) rules = rules_of(table);
            return shared(sentencepiece_normalizer({std::move(rules), std::move(symbols),
                                                    remove_spaces, escape_spaces, dummy_prefix,
                                                    space_as_suffix}));
        },
        "table"_a, nb::kw_only(), "symbols"_a, "remove_spaces"_a, "escape_spaces"_a,
        "dummy_prefix"_a, "space_as_suffix"_a);
    m.def("normalizer_sequence", [](const std::vector<Made>& parts) -> Made {
        return shared(normalizer_sequence({parts.begin(), parts.end()}));
    });
    m.def("normalize", [](const Normalizer& normalizer, const nb::str& text) {
        AlignedText aligned(characters_of(text));
        normalizer.apply(aligned);
        return aligned_tuple(aligned);
    });
}

void bind_pretokenizers(nb::module_& m) {
    using Made = std::shared_ptr<PreTokenizer>;
    nb::class_<PreTokenizer>(m, "PreTokenizer", "Cuts a normalized text into pieces.");
    nb::enum_<Behavior>(m, "Behavior")
        .value("Removed", Behavior::kRemoved)
        .value("Isolated", Behavior::kIsolated)
        .value("MergedWithPrevious", Behavior::kMergedWithPrevious)
        .value("MergedWithNext", Behavior::kMergedWithNext)
        .value("Contiguous", Behavior::kContiguous);
    nb::enum_<MetaspaceScheme>(m, "MetaspaceScheme")
        .value("always", MetaspaceScheme::kAlways)
        .value("first", MetaspaceScheme::kFirst)
        .value("never", MetaspaceScheme::kNever);
    m.def("bert_pretokenizer", []() -> Made { return shared(bert_pretokenizer()); });
    m.def("whitespace_pretokenizer", []() -> Made { return shared(whitespace_pretokenizer()); });
    m.def("whitespace_split_pretokenizer",
          []() -> Made { return shared(whitespace_split_pretokenizer()); });
    m.def("punctuation_pretokenizer",
          [](Behavior behavior) -> Made { return shared(punctuation_pretokenizer(behavior)); });
    m.def(
        "digits_pretokenizer",
        [](bool individual) -> Made { return shared(digits_pretokenizer(individual)); },
        nb::kw_only(), "individual"_a);
    m.def(
        "split_pretokenizer",
        [](const Finder& finder, Behavior behavior, bool invert) -> Made {
            return shared(split_pretokenizer(finder.find, behavior, invert));
        },
        "finder"_a, "behavior"_a, nb::kw_only(), "invert"_a);
    m.def(
        "byte_level_pretokenizer",
        [](const Finder* words, bool prefix_space) -> Made {
            return shared(byte_level_pretokenizer(prefix_space, words ? words->find : FindSpans{}));
        },
        "words"_a.none(), nb::kw_only(), "prefix_space"_a);
    m.def(
        "metaspace_pretokenizer",
        [](const nb::str& mark, MetaspaceScheme scheme, bool split) -> Made {
            return shared(metaspace_pretokenizer(characters_of(mark).at(0), scheme, split));
        },
        "mark"_a, "scheme"_a, nb::kw_only(), "split"_a);
    m.def("unicode_scripts_pretokenizer",
          []() -> Made { return shared(unicode_scripts_pretokenizer()); });
    m.def("fixed_length_pretokenizer", [](uint32_t length) -> Made {
        if (length == 0) throw nb::value_error("a length of 0");
        return shared(fixed_length_pretokenizer(length));
    });
    m.def("pretokenizer_sequence", [](const std::vector<Made>& parts) -> Made {
        return shared(pretokenizer_sequence({parts.begin(), parts.end()}));
    });
    m.def(
        "pre_tokenize",
        [](const PreTokenizer& pretokenizer, const nb::str& text, const Normalizer* normalizer) {
            AlignedText aligned(characters_of(text));
            if (normalizer) normalizer->apply(aligned);
            std::vector<AlignedText> pieces;
            pretokenizer.split(aligned, pieces);
            nb::list out;
            for (const AlignedText& piece : pieces) out.append(aligned_tuple(piece));
            return out;
        },
        "pretokenizer"_a, "text"_a, "normalizer"_a = nb::none());
}

void bind_steps(nb::module_& m) {
    bind_finders(m);
    bind_normalizers(m);
    bind_pretokenizers(m);
}

// Lets Python end long work, by Ctrl-C or by raising from `progress(stage, done, total)`.
class PythonWatch : public Watch {
   public:
    explicit PythonWatch(nb::object progress) : progress_(std::move(progress)) {}

    bool go_on(Stage stage, uint64_t done, uint64_t total) override {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < std::chrono::milliseconds(50)) return !error_;
        last_ = now;
        const nb::gil_scoped_acquire held;
        try {
            if (PyErr_CheckSignals()) throw nb::python_error();
            constexpr const char* kStages[] = {"counting", "merging", "seeding", "fitting"};
            if (!progress_.is_none()) progress_(kStages[int(stage)], done, total);
        } catch (nb::python_error& error) {
            error_ = std::make_unique<nb::python_error>(std::move(error));
        }
        return !error_;
    }

    // Runs work without the lock; what Python raised meanwhile is raised.
    template <class Work>
    auto run(const Work& work) {
        const auto run_unlocked = [&] {
            const nb::gil_scoped_release released;
            return work(static_cast<Watch&>(*this));
        };
        auto result = run_unlocked();
        if (error_) throw nb::python_error(std::move(*error_));
        return result;
    }

   private:
    nb::object progress_;
    std::chrono::steady_clock::time_point last_{};
    std::unique_ptr<nb::python_error> error_;
};

// None, or what went wrong: what, the number of the text, the byte in it.
std::optional<std::tuple<std::string, uint64_t, size_t>> counting_failure(const CountingEnd& end) {
    if (end.how == Counting::kDone) return std::nullopt;
    constexpr const char* kKinds[] = {"", "stopped", "not UTF-8", "too long", "file"};
    return std::tuple(kKinds[int(end.how)], end.text, end.place);
}

std::map<std::string, uint64_t> summary_of(const CountingSummary& summary) {
    return {{"texts", summary.texts},
            {"bytes", summary.bytes},
            {"words", summary.words},
            {"distinct", summary.distinct},
            {"least_count", summary.least_count},
            {"left_out", summary.left_out},
            {"cut", summary.cut},
            {"runs", summary.runs}};
}

void bind_word_list(nb::module_& m) {
    nb::class_<WordList>(m, "WordList", "Words, as bytes, and how often each of them comes.")
        .def("__init__",
             [](WordList* self, const std::vector<std::pair<nb::bytes, uint64_t>>& words) {
                 new (self) WordList();
                 for (const auto& [word, count] : words) {
                     self->add({word.c_str(), word.size()}, count);
                 }
             })
        .def("__len__", &WordList::size)
        .def("most_frequent",
             [](const WordList& words, uint64_t least_count, size_t most) {
                 std::vector<std::pair<nb::bytes, uint64_t>> found;
                 for (const size_t i : words.most_frequent(least_count)) {
                     if (found.size() == most) break;
                     const std::string_view word = words.word(i);
                     found.emplace_back(nb::bytes(word.data(), word.size()), words.count(i));
                 }
                 return found;
             },
             "least_count"_a = 1, "most"_a = SIZE_MAX)
        .def("characters", [](const WordList& words) {
            std::vector<std::pair<uint32_t, uint64_t>> found;
            for (const auto& [code, count] : count_characters(words)) {
                found.emplace_back(uint32_t(code), count);
            }
            return found;
        });
}

void bind_counting(nb::module_& m) {
    using Made = std::shared_ptr<WordCutter>;
    nb::class_<WordCutter>(m, "WordCutter", "Cuts texts into the words that are counted.");
    const auto made = [](WordCutterPtr cutter) -> Made {
        return std::const_pointer_cast<WordCutter>(std::move(cutter));
    };
    m.def(
        "pattern_cutter",
        [made](std::shared_ptr<Splitter> splitter, std::shared_ptr<Normalizer> normalizer) {
            return made(pattern_cutter(std::move(splitter), std::move(normalizer)));
        },
        "splitter"_a, "normalizer"_a.none());
    m.def(
        "character_cutter",
        [made](std::shared_ptr<Normalizer> normalizer) {
            return made(character_cutter(std::move(normalizer)));
        },
        "normalizer"_a.none());
    m.def(
        "stretch_cutter",
        [made](std::shared_ptr<Normalizer> normalizer, std::shared_ptr<PreTokenizer> pretokenizer) {
            return made(stretch_cutter(std::move(normalizer), std::move(pretokenizer)));
        },
        "normalizer"_a.none(), "pretokenizer"_a);
    nb::class_<WordCounter>(m, "WordCounter", "Counts the words of texts, in bounded memory.")
        .def(
            "__init__",
            [](WordCounter* self, Made cutter, size_t threads, uint64_t budget,
               std::array<int, 2> files) {
                new (self) WordCounter(std::move(cutter), threads, budget, files);
            },
            "cutter"_a, nb::kw_only(), "threads"_a, "budget"_a, "files"_a)
        .def(
            "add_lines",
            [](WordCounter& counter, const nb::bytes& lines, nb::object progress) {
                PythonWatch watch(std::move(progress));
                const std::string_view text(lines.c_str(), lines.size());
                return counting_failure(
                    watch.run([&](Watch& by) { return counter.add_lines(text, by); }));
            },
            "lines"_a, "progress"_a.none())
        .def(
            "add_chunks",
            [](WordCounter& counter, const std::vector<std::pair<nb::object, nb::object>>& capsules,
               nb::object progress) {
                PythonWatch watch(std::move(progress));
                const std::vector<TextChunk> chunks = text_chunks(capsules);
                return counting_failure(
                    watch.run([&](Watch& by) { return counter.add_column(chunks, by); }));
            },
            "capsules"_a, "progress"_a.none())
        .def(
            "finish",
            [](WordCounter& counter, nb::object progress) {
                PythonWatch watch(std::move(progress));
                std::optional<WordList> words(std::in_place);
                const Counting how =
                    watch.run([&](Watch& by) { return counter.finish(*words, by); });
                if (how != Counting::kDone) words.reset();
                return words;
            },
            "progress"_a.none())
        .def("summary", [](const WordCounter& counter) { return summary_of(counter.summary()); });
}

void bind_bpe_trainer(nb::module_& m) {
    m.def(
        "train_bpe",
        [](const WordList& words, size_t size, uint64_t least_count, size_t longest_token,
           std::optional<size_t> most_characters, const nb::str& alphabet,
           std::vector<std::string> special, std::string prefix, bool is_bytes,
           nb::object progress) {
            const std::u32string characters = characters_of(alphabet);
            const BpeTraining options{
                size,
                least_count,
                longest_token,
                most_characters,
                {characters.begin(), characters.end()},
                std::move(special),
                std::move(prefix),
                is_bytes,
            };
            PythonWatch watch(std::move(progress));
            TrainedBpe trained =
                watch.run([&](Watch& by) { return train_bpe(words, options, by); });
            return std::tuple(std::move(trained.tokens), std::move(trained.merges), trained.pieces);
        },
        "words"_a, nb::kw_only(), "size"_a, "least_count"_a = 0, "longest_token"_a = SIZE_MAX,
        "most_characters"_a = nb::none(), "alphabet"_a = "",
        "special"_a = std::vector<std::string>(), "prefix"_a = "", "is_bytes"_a = false,
        "progress"_a = nb::none());
}

void bind_unigram_trainer(nb::module_& m) {
    m.def(
        "train_unigram",
        [](const WordList& words, size_t size, const nb::str& alphabet, uint32_t longest_piece,
           size_t candidates, size_t threads, nb::object progress) {
            const UnigramTraining options{size, characters_of(alphabet), longest_piece, candidates,
                                          threads};
            PythonWatch watch(std::move(progress));
            TrainedUnigram trained =
                watch.run([&](Watch& by) { return train_unigram(words, options, by); });
            return std::move(trained.pieces);
        },
        "words"_a, nb::kw_only(), "size"_a, "alphabet"_a, "longest_piece"_a = 16,
        "candidates"_a = 1000000, "threads"_a = 1, "progress"_a = nb::none());
}

void bind_measure(nb::module_& m) {
    m.def(
        "count_tokens",
        [](const Model& model, const WordList& words, bool is_bytes, size_t threads) {
            const nb::gil_scoped_release released;
            const TokenCount count = count_tokens(model, words, is_bytes, threads);
            return std::pair(count.tokens, count.words);
        },
        "model"_a, "words"_a, nb::kw_only(), "is_bytes"_a, "threads"_a);
}

void bind_training(nb::module_& m) {
    bind_word_list(m);
    bind_counting(m);
    bind_bpe_trainer(m);
    bind_unigram_trainer(m);
    bind_measure(m);
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "The native tokenizer engine; headway.tokenizer is the way in.";
    bind_steps(m);
    bind_models(m);
    bind_spm_model<SpmUnigram>(m, "SpmUnigram");
    bind_spm_model<SpmBpe>(m, "SpmBpe");
    bind_fast_paths(m);
    bind_engine(m);
    bind_training(m);
    m.def("first_invalid_utf8",
          [](nb::bytes text) { return first_invalid_utf8({text.c_str(), text.size()}); });
}
