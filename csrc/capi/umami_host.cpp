// UMAMI with buffers in the memory of the host.
#include <algorithm>

#include "capi/umami.h"
#include "capi/umami_memory.h"

namespace pyamp::umami {
namespace {

class HostElement final : public Element {
 public:
    explicit HostElement(Handle handle) : handle_(std::move(handle)) {}

    pyamp_handle* handle() const override { return handle_.get(); }

    void evaluate(const Events& events, const Inputs& inputs, double factor, double* out, void*) override {
        if (inputs.flavour)
            capi::require(std::all_of(inputs.flavour + events.offset, inputs.flavour + events.offset + events.count,
                                      [](int flavour) { return flavour == 0; }),
                          unknown_flavour);
        const int key = PYAMP_OUT_AMPLITUDE;
        void* const target = out;
        succeed(pyamp_evaluate(handle_.get(), events.count, events.stride, events.offset, inputs.n, inputs.keys,
                               inputs.data, 1, &key, &target));
        if (factor != 1.0)
            std::for_each_n(out + events.offset, events.count, [factor](double& value) { value *= factor; });
    }

    void copy(const Events& events, const double* from, double* to, void*) override {
        std::copy_n(from + events.offset, events.count, to + events.offset);
    }

    void fill_zero(const Events& events, int* to, void*) override {
        std::fill_n(to + events.offset, events.count, 0);
    }

 private:
    Handle handle_;
};

}  // namespace

int device() { return UMAMI_DEVICE_CPU; }
bool has_streams() { return false; }

std::unique_ptr<Element> open(const char* path) {
    pyamp_handle* handle = nullptr;
    succeed(pyamp_open(&handle, path, nullptr));
    return std::make_unique<HostElement>(Handle(handle));
}

}  // namespace pyamp::umami
