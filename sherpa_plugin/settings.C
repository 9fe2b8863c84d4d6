// Reading and checking the block PYAMP: of the run card.
#include <vector>

#include "block.H"
#include "settings.H"
#include "stop.H"

namespace PyAmp {
namespace {

const std::vector<std::string> known_keys = {"MODE",           "MODEL",        "TRUTH",         "X_MAX",
                                             "OUTSIDE_DOMAIN", "SEED",         "SUMMARY",       "LIBRARY",
                                             "DTYPE",          "EPSILON_FULL", "RECORD_POINTS", "RECORD_FILE"};

}  // namespace

const char* NameOf(Mode mode) {
    return mode == Mode::truth ? "truth" : mode == Mode::surrogate ? "surrogate" : "two_stage";
}

Settings Settings::FromCard() {
    Block block("PYAMP", known_keys, "MODE: two_stage, MODEL: path");
    Settings s;
    s.mode = block.One<Mode>(
        "MODE", "", {{"truth", Mode::truth}, {"surrogate", Mode::surrogate}, {"two_stage", Mode::two_stage}});
    s.model = block.Text("MODEL", "");
    if (s.mode == Mode::truth)
        s.model.clear();  // so that one card serves all modes
    else if (s.model.empty())
        Stop(std::string("run card: PYAMP: MODEL is missing, MODE ") + NameOf(s.mode) +
             " needs it; give the path of a model file");
    s.truth = ReadTruth(block["TRUTH"]);
    s.library = block.Text("LIBRARY", PYAMP_LIBRARY);
    s.dtype =
        block.One<std::string>("DTYPE", "default", {{"default", ""}, {"float32", "float32"}, {"float64", "float64"}});
    s.summary = block.Text("SUMMARY", "");
    s.outside_domain = block.One<OutsideDomain>("OUTSIDE_DOMAIN", "truth",
                                                {{"truth", OutsideDomain::truth}, {"error", OutsideDomain::error}});
    s.x_max = block.Number("X_MAX", 0.0, 0.0, 1e30, false);
    s.epsilon_full = block.Number("EPSILON_FULL", 0.0, 0.0, 1.0, false);
    s.seed = static_cast<unsigned long>(block.Number("SEED", 1.0, -1.0, 4294967295.0, true));
    s.record_points = static_cast<long>(block.Number("RECORD_POINTS", 0.0, -1.0, 1e9, true));
    s.record_file = block.Text("RECORD_FILE", "pyamp_points.csv");
    return s;
}

}  // namespace PyAmp
