// ONNX Runtime through its C API, which its wheel brings without a header: a table of functions that only ever grows.
#include <dlfcn.h>

#include <cstdint>
#include <stdexcept>

#include "call.h"

namespace throughput {
namespace {

using Status = void;

/// Places in the table OrtApi, and what stands there.
struct Api {
    explicit Api(const char* library) {
        void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (!handle) throw std::runtime_error(dlerror());
        struct Base {
            void* const* (*get_api)(std::uint32_t);
        };
        const auto get_base = reinterpret_cast<const Base* (*)()>(dlsym(handle, "OrtGetApiBase"));
        if (!get_base) throw std::runtime_error(dlerror());
        table = get_base()->get_api(1);
    }

    template <typename... Arguments>
    void call(int place, Arguments... arguments) const {
        const auto function = reinterpret_cast<Status* (*)(Arguments...)>(table[place]);
        if (Status* status = function(arguments...))
            throw std::runtime_error(reinterpret_cast<const char* (*)(const Status*)>(table[2])(status));
    }

    static constexpr int create_env = 3, create_session = 7, run = 9, create_session_options = 10,
                         set_intra_op_threads = 24, set_inter_op_threads = 25, create_tensor_with_data = 49,
                         create_cpu_memory_info = 69;
    static constexpr int element_float = 1, element_double = 11;
    void* const* table;
};

template <typename In, typename Out>
class Session final : public Call {
 public:
    Session(const char* library, const char* path, const std::vector<std::int64_t>& input_shape,
            const std::vector<std::int64_t>& output_shape)
        : api_(library), input_(size_of(input_shape)), output_(size_of(output_shape)) {
        void *env = nullptr, *options = nullptr, *memory = nullptr;
        api_.call(Api::create_env, 3, "throughput", &env);
        api_.call(Api::create_session_options, &options);
        api_.call(Api::set_intra_op_threads, options, 1);
        api_.call(Api::set_inter_op_threads, options, 1);
        api_.call(Api::create_session, static_cast<const void*>(env), path, static_cast<const void*>(options),
                  &session_);
        api_.call(Api::create_cpu_memory_info, 1, 0, &memory);
        bind(memory, input_, input_shape, &input_value_);
        bind(memory, output_, output_shape, &output_value_);
        run_ = reinterpret_cast<Run>(api_.table[Api::run]);
    }

    void operator()(const double* input) override {
        for (std::size_t i = 0; i < input_.size(); ++i) input_[i] = static_cast<In>(input[i]);
        static const char* const in[] = {"input"};
        static const char* const out[] = {"output"};
        run_(session_, nullptr, in, &input_value_, 1, out, 1, &output_value_);
    }
    std::vector<double> outputs() const override { return {output_.begin(), output_.end()}; }

 private:
    using Run = Status* (*)(void*, const void*, const char* const*, void* const*, std::size_t, const char* const*,
                            std::size_t, void**);

    static std::size_t size_of(const std::vector<std::int64_t>& shape) {
        std::size_t size = 1;
        for (const auto n : shape) size *= static_cast<std::size_t>(n);
        return size;
    }
    template <typename U>
    void bind(void* memory, std::vector<U>& data, const std::vector<std::int64_t>& shape, void** value) {
        api_.call(Api::create_tensor_with_data, static_cast<const void*>(memory), static_cast<void*>(data.data()),
                  data.size() * sizeof(U), shape.data(), shape.size(),
                  sizeof(U) == 4 ? Api::element_float : Api::element_double, value);
    }

    Api api_;
    Run run_;
    void *session_ = nullptr, *input_value_ = nullptr, *output_value_ = nullptr;
    std::vector<In> input_;
    std::vector<Out> output_;
};

}  // namespace
}  // namespace throughput

using namespace throughput;

extern "C" Call* make_onnxruntime(const char* library, const char* path, const std::int64_t* input_shape,
                                  std::size_t input_axes, const std::int64_t* output_shape, std::size_t output_axes,
                                  int float_input, int float_output) {
    return made([&]() -> Call* {
        const std::vector<std::int64_t> in(input_shape, input_shape + input_axes);
        const std::vector<std::int64_t> out(output_shape, output_shape + output_axes);
        if (float_input) return new Session<float, float>(library, path, in, out);
        if (float_output) return new Session<double, float>(library, path, in, out);
        return new Session<double, double>(library, path, in, out);
    });
}
