// MODEL BACKEND: sixteen threads evaluate one shared model, each in batches of its own sizes; exit 0 if all agree.
// Compiled with the sources of the evaluator and ThreadSanitizer, which exits with 66 at a data race.
#include <cstdio>
#include <thread>
#include <vector>

#include "amplitudes/open.h"
#include "error.h"
#include "surrogate/evaluator.h"

namespace pyamp {
// No truth here: it would bring the amplitudes into the program.
std::unique_ptr<AmplitudeProvider> open_amplitude(const std::string& name, const nlohmann::json&) {
    throw Error(name);
}
}  // namespace pyamp

namespace {

struct Results {
    explicit Results(std::size_t n) : amplitude(n), sigma_syst(n), sigma_stat(n), flags(n) {}
    pyamp::PredictionView view(std::size_t first) {
        return {&amplitude[first], &sigma_syst[first], &sigma_stat[first], &flags[first]};
    }
    bool operator==(const Results&) const = default;

    std::vector<double> amplitude, sigma_syst, sigma_stat;
    std::vector<std::int32_t> flags;
};

}  // namespace

int main(int, char** arguments) {
    const pyamp::Evaluator evaluator(arguments[1], {.backend = arguments[2], .policy = pyamp::Policy::nan});
    const auto& points = evaluator.model().self_test.momenta;
    const std::size_t n = evaluator.model().self_test.n_points();
    const auto row = static_cast<std::size_t>(4 * evaluator.model().process.n_legs());
    Results expected(n);
    evaluator.evaluate(points.data(), n, nullptr, expected.view(0));

    std::vector<Results> results(16, Results(n));
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < results.size(); ++t)
        threads.emplace_back([&, t] {
            for (int repeat = 0; repeat < 20; ++repeat)
                for (std::size_t first = 0; first < n; first += t + 1)
                    evaluator.evaluate(&points[first * row], std::min(t + 1, n - first), nullptr,
                                       results[t].view(first));
        });
    for (auto& thread : threads) thread.join();
    for (const auto& result : results)
        if (!(result == expected)) return 1;
    std::puts("16 threads agree");
}
