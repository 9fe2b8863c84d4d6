// Messages between a client and its worker process, over one socket pair: a head, then as many bytes as it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pyamp::blha {

/// The descriptor at which a worker finds its end.
constexpr int worker_descriptor = 3;

enum class Message : std::uint32_t {
    // requests
    open,           ///< JSON: library, evaluate
    start,          ///< path of the file
    set_parameter,  ///< JSON: name, value
    version,
    evaluate,  ///< PointsHead, then the momenta; answered by one point after the other
    // answers
    done,  ///< text, or nothing
    error,
    point,  ///< PointResult
};

struct Head {
    Message message;
    std::uint32_t reserved = 0;
    std::uint64_t size;
};

struct PointsHead {
    std::int64_t id;
    std::uint64_t n, n_legs;
    double scale, alpha_s;
};

/// The other side is gone.
struct Disconnected {};
/// The other side took too long.
struct TimedOut {};

/// One end of the socket pair; owns the descriptor.
class Channel {
 public:
    explicit Channel(int descriptor) : descriptor_(descriptor) {}
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    void send(Message message, const void* data, std::size_t size, const void* more = nullptr,
              std::size_t more_size = 0);
    void send(Message message, const std::string& text) { send(message, text.data(), text.size()); }

    /// @param timeout_s of the whole message; 0 waits for ever
    Head receive_head(double timeout_s);
    void receive(void* data, std::size_t size, double timeout_s);
    std::string receive_text(const Head& head, double timeout_s);

 private:
    void send_all(const void* data, std::size_t size);

    int descriptor_;
};

}  // namespace pyamp::blha
