// The client's side of a contract: the order that is written, and the answers that are checked.
#pragma once

#include <string>

#include "amplitudes/blha/options.h"
#include "amplitudes/blha/order_text.h"

namespace pyamp::blha {

/// What was agreed.
struct Agreement {
    std::string start_file;  ///< for OLP_Start
    std::string contract;    ///< with the answers; written by then, or at the provider's start
};

/// A process of a contract.
struct Granted {
    int id;
    Process process;  ///< with the legs in the provider's order
};

/// Finds or writes the order. A temporary order, and a contract without a place, lie in `folder`.
///
/// @param process the process wanted; without legs if the options do not say: then the order has a single one
Agreement make_order(const Options& options, const Process& process, const CouplingOrders& orders,
                     const std::string& folder);

/// The process, its legs in any order. @throws pyamp::Error that names the line which is not granted
Granted read_contract(const std::string& path, const Process& process);

/// The single process of an order or contract file.
Process only_process(const std::string& path);

}  // namespace pyamp::blha
