// The userhook PyAmp: the second stage of the unweighting.
#include "ATOOLS/Phys/Blob_List.H"
#include "ATOOLS/Phys/Weights.H"
#include "SHERPA/Main/Sherpa.H"
#include "SHERPA/Tools/Userhook_Base.H"
#include "run.H"
#include "stop.H"

namespace PyAmp {

class Second_Stage : public SHERPA::Userhook_Base {
 public:
    explicit Second_Stage(const SHERPA::Userhook_Arguments&) : Userhook_Base("PyAmp") {
        if (!Run::Exists())
            Stop("run card: USERHOOKS has PyAmp, but no process uses it; add PyAmp to ME_GENERATORS and " +
                 std::string("Loop_Generator: PyAmp to the process, or drop the hook"));
    }

    ATOOLS::Return_Value::code Run(ATOOLS::Blob_List* blobs) override {
        PyAmp::Run& run = PyAmp::Run::Instance();
        if (!HasSecondStage(run.Card().mode)) return ATOOLS::Return_Value::Nothing;
        ATOOLS::Blob* signal = blobs->FindFirst(ATOOLS::btp::Signal_Process);
        if (!signal) return ATOOLS::Return_Value::Nothing;
        ATOOLS::Vec4D_Vector momenta;
        for (int i = 0; i < signal->NInP(); ++i) momenta.push_back(signal->InParticle(i)->Momentum());
        for (int i = 0; i < signal->NOutP(); ++i) momenta.push_back(signal->OutParticle(i)->Momentum());

        auto weights = (*signal)["WeightsMap"]->Get<ATOOLS::Weights_Map>();
        const Unweighting::Decision decision = run.SecondStage(momenta, weights.Nominal());
        // Sherpa goes on counting the trials of a rejected event, so that the cross section comes out right.
        if (!decision.accepted) return ATOOLS::Return_Value::New_Event;
        weights *= decision.weight;
        (*signal)["WeightsMap"]->Set(weights);
        return ATOOLS::Return_Value::Success;
    }
};

}  // namespace PyAmp

using PyAmp::Second_Stage;
using SHERPA::Userhook_Arguments;
using SHERPA::Userhook_Base;
DECLARE_USERHOOK_GETTER(Second_Stage, "PyAmp")
