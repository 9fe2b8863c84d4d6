// The network written plainly with Eigen: what a day's work without a framework gives.
#include <Eigen/Dense>
#include <cmath>
#include <unsupported/Eigen/SpecialFunctions>

#include "call.h"

namespace throughput {
namespace {

enum class Activation { tanh, gelu };

template <typename T>
class Mlp final : public Call {
    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

 public:
    /// @param weights of one member after the other, of each layer (n_out, n_in) row by row, then the biases (n_out)
    Mlp(const int* widths, int n_layers, Activation activation, int members, const double* weights, std::size_t n)
        : activation_(activation), n_features_(widths[0]), n_(static_cast<Eigen::Index>(n)) {
        for (int m = 0; m < members; ++m) {
            auto& member = members_.emplace_back();
            for (int l = 0; l < n_layers; ++l) {
                const int n_in = widths[l], n_out = widths[l + 1];
                using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
                const Eigen::Map<const RowMajor> matrix(weights, n_out, n_in);
                const Eigen::Map<const Eigen::VectorXd> bias(weights + n_in * n_out, n_out);
                member.push_back({matrix.template cast<T>(), bias.template cast<T>()});
                weights += n_in * n_out + n_out;
            }
        }
        outputs_.resize(static_cast<std::size_t>(members), Matrix(widths[n_layers], n_));
    }

    void operator()(const double* input) override {
        input_ = Eigen::Map<const Eigen::MatrixXd>(input, n_features_, n_).template cast<T>();
        for (std::size_t m = 0; m < members_.size(); ++m) {
            x_ = input_;
            for (std::size_t l = 0; l < members_[m].size(); ++l) {
                const auto& layer = members_[m][l];
                if (n_ == 1)
                    y_.noalias() = layer.weight * x_.col(0);
                else
                    y_.noalias() = layer.weight * x_;
                y_.colwise() += layer.bias;
                if (l + 1 < members_[m].size()) activate();
                x_.swap(y_);
            }
            outputs_[m] = x_;
        }
    }

    std::vector<double> outputs() const override {
        std::vector<double> result;
        for (const auto& matrix : outputs_)
            for (Eigen::Index i = 0; i < matrix.size(); ++i) result.push_back(matrix.data()[i]);
        return result;
    }

 private:
    struct Layer {
        Matrix weight;
        Eigen::Matrix<T, Eigen::Dynamic, 1> bias;
    };

    void activate() {
        if (activation_ == Activation::tanh)
            y_ = y_.array().tanh();
        else
            y_ = T(0.5) * y_.array() * (T(1) + (y_.array() * T(M_SQRT1_2)).erf());
    }

    Activation activation_;
    Eigen::Index n_features_, n_;
    std::vector<std::vector<Layer>> members_;
    Matrix input_, x_, y_;
    std::vector<Matrix> outputs_;
};

}  // namespace
}  // namespace throughput

using namespace throughput;

extern "C" Call* make_eigen(const int* widths, int n_layers, int is_gelu, int members, int is_float,
                            const double* weights, std::size_t n) {
    const auto activation = is_gelu ? Activation::gelu : Activation::tanh;
    return made([&]() -> Call* {
        if (is_float) return new Mlp<float>(widths, n_layers, activation, members, weights, n);
        return new Mlp<double>(widths, n_layers, activation, members, weights, n);
    });
}
