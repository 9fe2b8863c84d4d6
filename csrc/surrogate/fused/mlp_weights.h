// The weights of an MLP of a model file, packed for an instruction set.
#pragma once

#include <map>
#include <memory>
#include <new>
#include <string>
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

template <typename T>
class MlpWeights {
 public:
    /// @param members     weights along a leading axis of every tensor, or one network without that axis if it is 1
    ///                    and the tensors have none
    /// @param lanes       of T in a register
    MlpWeights(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
               std::size_t members, int lanes);

    const PackedMlp<T>& view() const { return view_; }

 private:
    void pack_member(const Mlp& network, const std::string& prefix, const std::map<std::string, Tensor>& tensors,
                     std::size_t member, int lanes);
    void pack_members_side_by_side(const Mlp& network, const std::string& prefix,
                                   const std::map<std::string, Tensor>& tensors, int lanes);
    T* zeros(std::size_t size);

    std::vector<AlignedArray<T>> arrays_;
    std::vector<Layer<T>> layers_;
    std::vector<MemberLayer<T>> member_layers_;
    PackedMlp<T> view_;
};

extern template class MlpWeights<float>;
extern template class MlpWeights<double>;

}  // namespace pyamp::fused
