// The weights of an MLP of a model file, packed for an instruction set.
#pragma once

#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model_file/network.h"
#include "model_file/tensor.h"
#include "surrogate/fused/kernels.h"

namespace pyamp::fused {

/// Zeros at an address that suits every register.
template <typename T>
class AlignedArray {
 public:
    explicit AlignedArray(std::size_t size);
    T* data() { return data_.get(); }

 private:
    static constexpr std::align_val_t alignment{64};
    struct Free {
        void operator()(T* data) const { ::operator delete(data, alignment); }
    };
    std::unique_ptr<T[], Free> data_;
};

/// The matrix (n_out, n_in) and the bias (n_out) of a member, with zeros around them.
class MemberMatrix {
 public:
    MemberMatrix(const std::map<std::string, Tensor>& tensors, const std::string& prefix, const Mlp& network,
                 std::size_t l, std::size_t member);

    /// Rounds the weights to what pairs of them can hold.
    void round_to_pairs();

    double weight(int output, int input) const {
        return output < n_out_ && input < n_in_ ? weights_[index(output, input)] : 0.0;
    }
    double bias(int output) const { return output < n_out_ ? biases_[static_cast<std::size_t>(output)] : 0.0; }

 private:
    std::size_t index(int output, int input) const { return static_cast<std::size_t>(output * n_in_ + input); }

    int n_in_, n_out_;
    std::vector<double> weights_, biases_;
};

/// @tparam W  see Layer
template <typename T, typename W>
class MlpWeights {
 public:
    /// @param members     weights along a leading axis of every tensor, or one network without that axis if it is 1
    ///                    and the tensors have none
    /// @param lanes       of T in a register
    MlpWeights(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
               std::size_t members, int lanes);

    const PackedMlp<T, W>& view() const { return view_; }

 private:
    /// All numbers of a kind in one piece, in the order in which they are read.
    template <typename U>
    class Pool {
     public:
        explicit Pool(std::size_t size) : numbers_(size), next_(numbers_.data()) {}
        U* take(std::size_t size) { return std::exchange(next_, next_ + size); }

     private:
        AlignedArray<U> numbers_;
        U* next_;
    };

    void pack_layer(Layer<T, W> layer, const MemberMatrix& matrix);
    /// The layer of all members of a register.
    void pack_members(const Layer<T, W>& layer, const std::vector<const MemberMatrix*>& members);

    int lanes_;
    std::vector<Layer<T, W>> layers_;
    std::vector<MemberLayer<T, W>> member_layers_;
    std::optional<Pool<T>> tile_weights_, narrow_weights_, biases_;
    std::optional<Pool<W>> point_weights_;
    PackedMlp<T, W> view_;
};

extern template class MlpWeights<float, float>;
extern template class MlpWeights<double, double>;
extern template class MlpWeights<float, WeightPair>;

}  // namespace pyamp::fused
