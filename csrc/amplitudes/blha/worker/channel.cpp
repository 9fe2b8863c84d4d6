// Messages over a socket pair.
#include "amplitudes/blha/worker/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>

namespace pyamp::blha {

Channel::~Channel() { ::close(descriptor_); }

void Channel::send_all(const void* data, std::size_t size) {
    const char* bytes = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t sent = ::send(descriptor_, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) throw Disconnected{};
        bytes += sent;
        size -= static_cast<std::size_t>(sent);
    }
}

void Channel::send(Message message, const void* data, std::size_t size, const void* more, std::size_t more_size) {
    const Head head{message, 0, size + more_size};
    send_all(&head, sizeof head);
    send_all(data, size);
    send_all(more, more_size);
}

void Channel::receive(void* data, std::size_t size, double timeout_s) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    char* bytes = static_cast<char*>(data);
    while (size > 0) {
        int wait_ms = -1;
        if (timeout_s > 0.0) {
            const double left = timeout_s - std::chrono::duration<double>(Clock::now() - start).count();
            if (left <= 0.0) throw TimedOut{};
            wait_ms = static_cast<int>(std::fmin(std::ceil(1e3 * left), 1e9));
        }
        pollfd wanted{descriptor_, POLLIN, 0};
        const int ready = ::poll(&wanted, 1, wait_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) continue;  // the time is up, which the next turn says
        const ssize_t received = ::recv(descriptor_, bytes, size, 0);
        if (received < 0 && errno == EINTR) continue;
        if (received <= 0) throw Disconnected{};
        bytes += received;
        size -= static_cast<std::size_t>(received);
    }
}

Head Channel::receive_head(double timeout_s) {
    Head head;
    receive(&head, sizeof head, timeout_s);
    return head;
}

std::string Channel::receive_text(const Head& head, double timeout_s) {
    std::string text(head.size, '\0');
    receive(text.data(), text.size(), timeout_s);
    return text;
}

}  // namespace pyamp::blha
