// Errors that a user can act on: one line with what was found, what was expected and what to do.
#pragma once

#include <stdexcept>

namespace pyamp {

class Error : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

}  // namespace pyamp
