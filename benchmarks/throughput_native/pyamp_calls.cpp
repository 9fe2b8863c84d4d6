// pyamp at three levels: the bare network, the evaluator with all its checks, and the C ABI; and the clock.
#include <algorithm>
#include <ctime>
#include <stdexcept>

#include "call.h"
#include "capi/pyamp.h"
#include "model_file/model_file.h"
#include "surrogate/backend.h"
#include "surrogate/evaluator.h"
#include "surrogate/front_end.h"

namespace throughput {
namespace {

/// Features, or momenta turned into features and checked, to the outputs of all members: no moments.
class Network final : public Call {
 public:
    Network(const char* path, const char* backend, bool from_momenta, std::size_t n)
        : model_(pyamp::read_model_file(path)),
          front_end_(model_),
          chosen_(pyamp::choose_backend(model_, {model_.dtype, "cpu", true, backend})),
          layout_(pyamp::MomentaLayout::rows(model_.process.n_legs())),
          from_momenta_(from_momenta),
          n_(n),
          features_(n * static_cast<std::size_t>(front_end_.n_features()) + pyamp::features_excess),
          log_factor_(n),
          flags_(n),
          outputs_(n * static_cast<std::size_t>(model_.posterior.members * pyamp::n_outputs(model_.likelihood))) {}

    void operator()(const double* input) override {
        const double* features = input;
        if (from_momenta_) {
            front_end_.evaluate(input, layout_, n_, features_.data(), log_factor_.data(), flags_.data());
            features = features_.data();
        }
        chosen_.backend->evaluate(features, n_, outputs_.data(), nullptr);
    }
    std::vector<double> outputs() const override { return outputs_; }

 private:
    pyamp::ModelFile model_;
    pyamp::FrontEnd front_end_;
    pyamp::ChosenBackend chosen_;
    pyamp::MomentaLayout layout_;
    bool from_momenta_;
    std::size_t n_;
    std::vector<double> features_, log_factor_;
    std::vector<std::int32_t> flags_;
    std::vector<double> outputs_;
};

class Product final : public Call {
 public:
    Product(const char* path, const char* backend, std::size_t n)
        : evaluator_(path, options(backend)), n_(n), amplitude_(n), sigma_syst_(n), sigma_stat_(n), flags_(n) {}

    void operator()(const double* input) override {
        evaluator_.evaluate(input, n_, nullptr,
                            {amplitude_.data(), sigma_syst_.data(), sigma_stat_.data(), flags_.data()});
    }
    std::vector<double> outputs() const override { return amplitude_; }

 private:
    static pyamp::EvaluatorOptions options(const char* backend) {
        pyamp::EvaluatorOptions result;
        result.backend = backend;
        result.one_thread = true;
        return result;
    }
    pyamp::Evaluator evaluator_;
    std::size_t n_;
    std::vector<double> amplitude_, sigma_syst_, sigma_stat_;
    std::vector<std::int32_t> flags_;
};

/// Hosts fill the momenta in the layout of the interface themselves, so that is part of the call.
class CInterface final : public Call {
 public:
    CInterface(const char* path, const char* backend, int n_legs, std::size_t n)
        : n_legs_(static_cast<std::size_t>(n_legs)), n_(n), momenta_(4 * n_legs_ * n), amplitude_(n), flags_(n) {
        const std::string options = "{\"policy\": \"nan\", \"backend\": \"" + std::string(backend) + "\"}";
        if (pyamp_open(&handle_, path, options.c_str()) != PYAMP_SUCCESS)
            throw std::runtime_error(pyamp_last_error());
    }
    ~CInterface() override { pyamp_close(handle_); }

    void operator()(const double* input) override {
        // A line of the cache at a time, as a host would that fills large batches.
        constexpr std::size_t line = 8;
        for (std::size_t first = 0; first < n_; first += line)
            for (std::size_t leg = 0; leg < n_legs_; ++leg)
                for (std::size_t mu = 0; mu < 4; ++mu)
                    for (std::size_t k = first; k < std::min(first + line, n_); ++k)
                        momenta_[k + n_ * (leg + n_legs_ * mu)] = input[(k * n_legs_ + leg) * 4 + mu];
        const int in_keys[] = {PYAMP_IN_MOMENTA}, out_keys[] = {PYAMP_OUT_AMPLITUDE, PYAMP_OUT_FLAGS};
        const void* in[] = {momenta_.data()};
        void* out[] = {amplitude_.data(), flags_.data()};
        pyamp_evaluate(handle_, n_, n_, 0, 1, in_keys, in, 2, out_keys, out);
    }
    std::vector<double> outputs() const override { return amplitude_; }

 private:
    pyamp_handle* handle_ = nullptr;
    std::size_t n_legs_, n_;
    std::vector<double> momenta_, amplitude_;
    std::vector<std::int32_t> flags_;
};

double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace
}  // namespace throughput

using namespace throughput;

extern "C" {

Call* make_network(const char* path, const char* backend, int from_momenta, std::size_t n) {
    return made([&] { return new Network(path, backend, from_momenta != 0, n); });
}

Call* make_product(const char* path, const char* backend, std::size_t n) {
    return made([&] { return new Product(path, backend, n); });
}

Call* make_c_interface(const char* path, const char* backend, int n_legs, std::size_t n) {
    return made([&] { return new CInterface(path, backend, n_legs, n); });
}

/// CPU seconds of this thread for that many calls, on one batch after the other of `batches`, `stride` numbers apart.
double time_calls(Call* call, const double* input, std::size_t stride, std::size_t batches, std::size_t calls) {
    const double start = cpu_seconds();
    for (std::size_t k = 0; k < calls; ++k) (*call)(input + k % batches * stride);
    return cpu_seconds() - start;
}

/// Outputs of one batch; returns how many there are, of which at most `size` are written.
std::size_t evaluate_once(Call* call, const double* input, double* outputs, std::size_t size) {
    (*call)(input);
    const auto values = call->outputs();
    for (std::size_t i = 0; i < values.size() && i < size; ++i) outputs[i] = values[i];
    return values.size();
}

void free_call(Call* call) { delete call; }
}
