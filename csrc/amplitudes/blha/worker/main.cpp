// pyamp_blha_worker: a BLHA provider in a process of its own, which may print, abort and hang as it likes.
// It is started by libpyamp with one end of a socket pair as descriptor 3, and ends when the other end is closed.
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "amplitudes/blha/session.h"
#include "amplitudes/blha/worker/channel.h"
#include "error.h"

namespace {

using namespace pyamp::blha;
using nlohmann::json;

/// Ends the process as soon as the client is gone, even in the middle of a point.
void watch_client() {
    std::thread([] {
        pollfd client{worker_descriptor, POLLRDHUP, 0};
        while (::poll(&client, 1, -1) <= 0) continue;
        ::_exit(0);
    }).detach();
}

void evaluate(Session& session, Channel& channel, const Head& head) {
    PointsHead points;
    channel.receive(&points, sizeof points, 0.0);
    std::vector<double> momenta((head.size - sizeof points) / sizeof(double));
    channel.receive(momenta.data(), momenta.size() * sizeof(double), 0.0);
    for (std::size_t k = 0; k < points.n; ++k) {
        PointResult result;
        session.evaluate({static_cast<int>(points.id), 1, points.n_legs, momenta.data() + 5 * points.n_legs * k,
                          points.scale, points.alpha_s},
                         &result);
        channel.send(Message::point, &result, sizeof result);
    }
}

std::unique_ptr<Session> open(const std::string& text) {
    const json request = json::parse(text);
    Options options;
    options.library = request["library"];
    options.evaluate = request["evaluate"];
    return open_library(options);
}

std::string answer(std::unique_ptr<Session>& session, Message message, const std::string& text) {
    if (message == Message::open)
        session = open(text);
    else if (message == Message::start)
        session->start(text);
    else if (message == Message::version)
        return session->version();
    else if (message == Message::set_parameter) {
        const json request = json::parse(text);
        return std::to_string(session->set_parameter(request["name"], request["value"]));
    }
    return "";
}

void serve(Channel& channel) {
    std::unique_ptr<Session> session;
    for (;;) {
        const Head head = channel.receive_head(0.0);
        if (head.message == Message::evaluate) {
            evaluate(*session, channel, head);
            continue;
        }
        const std::string text = channel.receive_text(head, 0.0);
        try {
            const std::string reply = answer(session, head.message, text);
            channel.send(Message::done, reply);
        } catch (const std::exception& error) {
            channel.send(Message::error, error.what());
        }
    }
}

}  // namespace

int main() {
    struct stat status;
    if (::fstat(worker_descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        std::fprintf(stderr, "pyamp_blha_worker: started by libpyamp, not by hand\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was printed last must not be lost with the process
    watch_client();
    Channel channel(worker_descriptor);
    try {
        serve(channel);
    } catch (const Disconnected&) {
    }
    // Without the destructors of the provider, which may well fail.
    ::_exit(0);
}
