// The client's side of a worker process: starts it, talks to it, and starts it again when it dies or hangs.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "amplitudes/blha/session.h"
#include "amplitudes/blha/worker/channel.h"
#include "error.h"

extern char** environ;

namespace pyamp::blha {
namespace {

using nlohmann::json;

constexpr int fatal_in_succession = 20;

/// Descriptors 0 to 3 are those of the worker; ours must not be among them.
int out_of_the_way(int descriptor) {
    const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
    ::close(descriptor);
    return moved;
}

std::string worker_path() {
    Dl_info self{};
    static const char here = 0;
    dladdr(&here, &self);
    return (std::filesystem::path(self.dli_fname).parent_path() / "pyamp_blha_worker").string();
}

/// What the worker prints, for the message when it dies.
class Log {
 public:
    explicit Log(const std::string& path) {
        if (!path.empty()) {
            descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        } else {
            std::string name = (std::filesystem::temp_directory_path() / "pyamp_blha_XXXXXX").string();
            descriptor_ = ::mkstemp(name.data());
            if (descriptor_ >= 0) ::unlink(name.c_str());
        }
        if (descriptor_ < 0)
            throw Error((path.empty() ? "the temporary folder" : path) + ": no log can be written there (" +
                        std::strerror(errno) + ")");
        descriptor_ = out_of_the_way(descriptor_);
    }
    ~Log() { ::close(descriptor_); }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    int descriptor() const { return descriptor_; }

    std::string last_line() const {
        char text[512];
        const off_t end = ::lseek(descriptor_, 0, SEEK_END);
        const ssize_t size = ::pread(descriptor_, text, sizeof text, std::max<off_t>(0, end - off_t{sizeof text}));
        std::string tail(text, static_cast<std::size_t>(std::max<ssize_t>(0, size)));
        while (!tail.empty() && std::strchr(" \n\r\t", tail.back())) tail.pop_back();
        return tail.substr(tail.rfind('\n') + 1);
    }

 private:
    int descriptor_;
};

class Worker final : public Session {
 public:
    explicit Worker(const Options& options) : options_(options), log_(options.log) { launch(); }
    ~Worker() override { end(); }

    void start(const std::string& file) override {
        file_ = file;
        ask_at_start(Message::start, file);
    }

    int set_parameter(const std::string& name, double value) override {
        const std::string status =
            ask_at_start(Message::set_parameter, json{{"name", name}, {"value", value}}.dump());
        parameters_[name] = value;
        return std::stoi(status);
    }

    std::string version() override { return ask_at_start(Message::version, ""); }

    void evaluate(const Points& points, PointResult* results) override {
        std::size_t next = 0;
        bool tried_before = false;
        while (next < points.n) {
            try {
                request(points, next);
                for (; next < points.n; ++next) {
                    const Head head = channel_->receive_head(options_.timeout_s);
                    if (head.message != Message::point || head.size != sizeof(PointResult)) throw Disconnected{};
                    channel_->receive(&results[next], sizeof(PointResult), options_.timeout_s);
                    tried_before = false;
                    lost_in_succession_ = 0;
                }
                return;
            } catch (const TimedOut&) {
                tried_before = true;
            } catch (const Disconnected&) {
            }
            // A crash may come of what was evaluated before: the point has a second chance on a fresh provider.
            if (tried_before) {
                lose(results[next++]);
                ++lost_in_succession_;
            }
            tried_before = !tried_before;
            std::string reason = "it " + end() + said();
            if (lost_in_succession_ < fatal_in_succession) {
                try {
                    restart();
                    continue;
                } catch (const Error& error) {
                    reason = error.what();
                }
            }
            // What is finished is not given up for what cannot be.
            std::fprintf(stderr, "pyamp: %s: %zu points have no value: %s\n", options_.library.c_str(),
                         points.n - next, reason.c_str());
            while (next < points.n) lose(results[next++]);
            lost_in_succession_ = 0;
        }
    }

 private:
    static void lose(PointResult& result) {
        std::fill_n(result.slots, n_slots, std::numeric_limits<double>::quiet_NaN());
        result.accuracy = std::numeric_limits<double>::quiet_NaN();
    }

    void request(const Points& points, std::size_t first) {
        if (!channel_) restart();
        const std::size_t n = points.n - first;
        const PointsHead head{points.id, n, points.n_legs, points.scale, points.alpha_s};
        channel_->send(Message::evaluate, &head, sizeof head, points.momenta + 5 * points.n_legs * first,
                       5 * points.n_legs * n * sizeof(double));
    }

    void launch() {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            throw Error(std::string("no socket pair for the BLHA worker (") + std::strerror(errno) + ")");
        const int ours = out_of_the_way(ends[0]), theirs = out_of_the_way(ends[1]);
        channel_.emplace(ours);

        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, log_.descriptor(), 1);
        posix_spawn_file_actions_adddup2(&actions, log_.descriptor(), 2);
        posix_spawn_file_actions_adddup2(&actions, theirs, worker_descriptor);
        // A group of its own: an interrupt at the terminal is for the host to answer.
        posix_spawnattr_t attributes;
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);

        std::vector<std::string> texts;
        for (char** entry = environ; *entry; ++entry) {
            const std::string text = *entry;
            if (!options_.environment.contains(text.substr(0, text.find('=')))) texts.push_back(text);
        }
        for (const auto& [name, value] : options_.environment) texts.push_back(name + "=" + value);
        std::vector<char*> environment;
        for (auto& text : texts) environment.push_back(text.data());
        environment.push_back(nullptr);

        std::string path = worker_path();
        char* arguments[] = {path.data(), nullptr};
        const int failure = ::posix_spawn(&pid_, path.c_str(), &actions, &attributes, arguments, environment.data());
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        ::close(theirs);
        if (failure != 0) {
            pid_ = -1;
            channel_.reset();
            throw Error(path + ": cannot be started (" + std::strerror(failure) +
                        "); it is installed beside libpyamp.so");
        }
        ask_at_start(Message::open, json{{"library", options_.library}, {"evaluate", options_.evaluate}}.dump());
    }

    /// A fresh worker in the state of the last.
    void restart() {
        launch();
        if (!file_.empty()) ask_at_start(Message::start, file_);
        for (const auto& [name, value] : parameters_)
            ask_at_start(Message::set_parameter, json{{"name", name}, {"value", value}}.dump());
    }

    std::string ask_at_start(Message message, const std::string& text) {
        try {
            channel_->send(message, text);
            const Head head = channel_->receive_head(options_.start_timeout_s);
            const std::string reply = channel_->receive_text(head, options_.start_timeout_s);
            if (head.message == Message::error) {
                end();
                throw Error(reply + said());
            }
            return reply;
        } catch (const TimedOut&) {
            end();
            throw Error(options_.library + ": no answer within " + std::to_string(options_.start_timeout_s) +
                        " s at its start; 'start_timeout_s' allows more" + said());
        } catch (const Disconnected&) {
            throw Error(options_.library + ": at its start the provider " + end() + said());
        }
    }

    std::string said() const {
        const std::string line = log_.last_line();
        return line.empty() ? "" : "; it printed last: " + line;
    }

    /// Ends the worker; what had become of it already, in words.
    std::string end() {
        channel_.reset();
        if (pid_ < 0) return "was not running";
        int status = 0;
        std::string reason = "took too long";
        pid_t ended = 0;
        for (int turn = 0; turn < 50; ++turn) {
            ended = ::waitpid(pid_, &status, WNOHANG);
            if (ended != 0 && !(ended < 0 && errno == EINTR)) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        if (ended == 0) {
            ::kill(pid_, SIGKILL);
            while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
        } else if (ended > 0 && WIFSIGNALED(status)) {
            reason = std::string("was killed by signal ") + std::to_string(WTERMSIG(status)) + " (" +
                     strsignal(WTERMSIG(status)) + ")";
        } else if (ended > 0 && WEXITSTATUS(status) != 0) {
            reason = "ended with exit code " + std::to_string(WEXITSTATUS(status));
        }
        pid_ = -1;
        return reason;
    }

    Options options_;
    Log log_;
    std::optional<Channel> channel_;
    pid_t pid_ = -1;
    std::string file_;
    std::map<std::string, double> parameters_;
    int lost_in_succession_ = 0;
};

}  // namespace

std::unique_ptr<Session> open_worker(const Options& options) { return std::make_unique<Worker>(options); }

}  // namespace pyamp::blha
