// Keeps LibTorch on the calling thread while small batches are evaluated.
#pragma once

namespace pyamp {

/// While it lives, OpenMP regions that this thread opens have one thread; afterwards what they had before. Waking
/// a pool costs more than a small batch, and a host's threads are its own.
class OneThread {
 public:
    /// @param active whether to do anything
    explicit OneThread(bool active);
    ~OneThread();
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

 private:
    int before_ = 0;  ///< 0: nothing to restore
};

}  // namespace pyamp
