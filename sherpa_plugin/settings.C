// Reading and checking the block PYAMP: of the run card.
#include <vector>

#include "block.H"
#include "settings.H"
#include "stop.H"

namespace PyAmp {
namespace {

const std::vector<std::string> known_keys = {"MODE",    "MODEL",          "SCREEN",        "TRUTH",        "X_MAX",
                                             "Y_MAX",   "KAPPA",          "P_MIN",         "N_EFF_OVER_N", "BUDGET",
                                             "WARM_UP", "OUTSIDE_DOMAIN", "SEED",          "SUMMARY",      "LIBRARY",
                                             "DTYPE",   "EPSILON_FULL",   "RECORD_POINTS", "RECORD_FILE"};

constexpr long usual_warm_up = 1000;

/// Every key is checked in every mode; those of another mode have no effect, so that one card serves all.
SecondStageSettings ReadSecondStage(Block& block, Mode mode) {
    SecondStageSettings s;
    const bool x_max_auto = block.Text("X_MAX", "") == "auto";
    if (!x_max_auto) s.x_max = block.Number("X_MAX", 0.0, 0.0, 1e30, false, ", or auto");
    s.kappa = block.Number("KAPPA", 0.0, 0.0, 1e30, false);
    s.p_min = block.Number("P_MIN", 0.0, 0.0, 1.0, false);
    s.n_eff_over_n = block.Number("N_EFF_OVER_N", 0.99, 0.0, 1.0, false);
    s.budget = block.Number("BUDGET", 1e-3, 0.0, 0.5, false);
    s.seed = static_cast<unsigned long>(block.Number("SEED", 1.0, -1.0, 4294967295.0, true));
    const long events = static_cast<long>(block.Number("WARM_UP", 0.0, 9.0, 1e9, true));
    if ((s.kappa > 0.0) != (s.p_min > 0.0))
        Stop(std::string("run card: PYAMP: ") + (s.kappa > 0.0 ? "KAPPA without P_MIN" : "P_MIN without KAPPA") +
             " found; give both, or neither, and a warm-up of MODE roulette chooses them");
    const char* given = mode == Mode::two_stage && s.x_max > 0.0  ? "X_MAX"
                        : mode == Mode::roulette && s.kappa > 0.0 ? "KAPPA and P_MIN"
                                                                  : nullptr;
    if (given && events > 0)
        Stop(std::string("run card: PYAMP: WARM_UP and ") + given + " found, a warm-up is there to choose " + given +
             "; drop one of them" + (mode == Mode::two_stage ? ", or give X_MAX: auto" : ""));
    const bool chosen = mode == Mode::roulette ? !given : mode == Mode::two_stage && (x_max_auto || events > 0);
    if (chosen) s.warm_up = events > 0 ? events : usual_warm_up;
    return s;
}

/// Behind the screen: its own maximum, or a warm-up as long as the second stage's, which costs no truth.
SecondStageSettings ReadBehindScreen(Block& block, const SecondStageSettings& second) {
    SecondStageSettings s = second;
    const std::string y_max = block.Text("Y_MAX", "");
    const bool given = !y_max.empty() && y_max != "auto";
    s.x_max = given ? block.Number("Y_MAX", 0.0, 0.0, 1e30, false, ", or auto") : 0.0;
    s.warm_up = given ? 0 : second.warm_up > 0 ? second.warm_up : usual_warm_up;
    return s;
}

}  // namespace

const char* NameOf(Mode mode) {
    switch (mode) {
        case Mode::truth:
            return "truth";
        case Mode::surrogate:
            return "surrogate";
        case Mode::two_stage:
            return "two_stage";
        default:
            return "roulette";
    }
}

Settings Settings::FromCard() {
    Block block("PYAMP", known_keys, "MODE: two_stage, MODEL: path");
    Settings s;
    s.mode = block.One<Mode>("MODE", "",
                             {{"truth", Mode::truth},
                              {"surrogate", Mode::surrogate},
                              {"two_stage", Mode::two_stage},
                              {"roulette", Mode::roulette}});
    s.model = block.Text("MODEL", "");
    if (s.mode == Mode::truth)
        s.model.clear();  // so that one card serves all modes
    else if (s.model.empty())
        Stop(std::string("run card: PYAMP: MODEL is missing, MODE ") + NameOf(s.mode) +
             " needs it; give the path of a model file");
    s.screen = block.Text("SCREEN", "");
    if (!HasSecondStage(s.mode)) s.screen.clear();
    s.truth = ReadTruth(block["TRUTH"]);
    s.library = block.Text("LIBRARY", PYAMP_LIBRARY);
    s.dtype =
        block.One<std::string>("DTYPE", "default", {{"default", ""}, {"float32", "float32"}, {"float64", "float64"}});
    s.summary = block.Text("SUMMARY", "");
    s.outside_domain = block.One<OutsideDomain>("OUTSIDE_DOMAIN", "truth",
                                                {{"truth", OutsideDomain::truth}, {"error", OutsideDomain::error}});
    s.second_stage = ReadSecondStage(block, s.mode);
    s.behind_screen = ReadBehindScreen(block, s.second_stage);
    s.epsilon_full = block.Number("EPSILON_FULL", 0.0, 0.0, 1.0, false);
    s.record_points = static_cast<long>(block.Number("RECORD_POINTS", 0.0, -1.0, 1e9, true));
    s.record_file = block.Text("RECORD_FILE", "pyamp_points.csv");
    return s;
}

}  // namespace PyAmp
