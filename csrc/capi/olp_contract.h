// The server's side of a contract: what it answers to every line of an order, and what it then evaluates.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amplitudes/blha/order_text.h"
#include "capi/pyamp.h"

namespace pyamp::olp {

/// One process of the contract with the handle that evaluates it.
struct SubProcess {
    struct Close {
        void operator()(pyamp_handle* handle) const { pyamp_close(handle); }
    };
    std::unique_ptr<pyamp_handle, Close> handle;
    std::vector<int> legs;  ///< leg of the handle's process → leg of the host's
    CouplingOrders orders;
    double opened_alpha = 0.0;  ///< with which the handle computes
    bool has_accuracy = false;
};

struct Contract {
    std::vector<std::string> lines;  ///< as they are to be written
    std::string answer_file;
    bool is_order = true;                   ///< no line had an answer yet
    std::string first_complaint;            ///< empty: everything is granted
    std::vector<SubProcess> sub_processes;  ///< number i has the id i + 1
};

/// Answers every line of an order or contract file.
Contract make_contract(const std::string& path);

}  // namespace pyamp::olp
