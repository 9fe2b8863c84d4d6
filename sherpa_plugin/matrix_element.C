// The matrix element that Sherpa calls, once per phase-space point.
#include "PHASIC++/Process/External_ME_Args.H"
#include "PHASIC++/Process/Tree_ME2_Base.H"
#include "run.H"

namespace PyAmp {

/// Sherpa wants |M|^2 summed over all helicities and colours; the average over initial states and the factor for
/// identical photons it applies itself.
class Matrix_Element : public PHASIC::Tree_ME2_Base {
 public:
    explicit Matrix_Element(const PHASIC::External_ME_Args& args) : Tree_ME2_Base(args), m_run(Run::Instance()) {
        std::vector<int> pdg_ids;
        for (const auto& flavour : args.Flavours()) pdg_ids.push_back(static_cast<int>(static_cast<long>(flavour)));
        m_run.BindProcess(pdg_ids, static_cast<int>(args.m_inflavs.size()), args.m_orders);
    }

    double Calc(const ATOOLS::Vec4D_Vector& momenta) override {
        const Couplings couplings{AlphaQCD(), AlphaQED()};
        if (m_probed) return m_run.FirstStage(momenta, couplings);
        // While setting up the process Amegic asks for one point to see whether it vanishes; it obeys no cuts.
        m_probed = true;
        return m_run.Probe(momenta, couplings);
    }

    int OrderQCD(const int&) const override { return m_run.OrderQCD(); }
    int OrderEW(const int&) const override { return m_run.OrderEW(); }

 private:
    Run& m_run;
    bool m_probed = false;
};

}  // namespace PyAmp

DECLARE_TREEME2_GETTER(PyAmp::Matrix_Element, "PyAmp")

PHASIC::Tree_ME2_Base* ATOOLS::Getter<PHASIC::Tree_ME2_Base, PHASIC::External_ME_Args,
                                      PyAmp::Matrix_Element>::operator()(const PHASIC::External_ME_Args& args) const {
    // Every getter is asked for every process; only Loop_Generator: PyAmp means this one.
    return args.m_source == "PyAmp" ? new PyAmp::Matrix_Element(args) : nullptr;
}
