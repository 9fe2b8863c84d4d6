// The generator PyAmp of ME_GENERATORS: it makes no processes, but brackets the run.
#include "PHASIC++/Process/ME_Generator_Base.H"
#include "run.H"

namespace PyAmp {

class Generator : public PHASIC::ME_Generator_Base {
 public:
    Generator() : ME_Generator_Base("PyAmp") {}
    ~Generator() override { Run::Finish(); }

    /// Card and model are checked here, before any process is set up.
    bool Initialize(MODEL::Model_Base*, BEAM::Beam_Spectra_Handler*, PDF::ISR_Handler*, YFS::YFS_Handler*) override {
        Run::Instance();
        return true;
    }
    /// Amegic makes the process; it takes its matrix element from Loop_Generator: PyAmp.
    PHASIC::Process_Base* InitializeProcess(const PHASIC::Process_Info&, bool) override { return nullptr; }
    int PerformTests() override { return 1; }
    bool NewLibraries() override { return false; }
};

}  // namespace PyAmp

DECLARE_GETTER(PyAmp::Generator, "PyAmp", PHASIC::ME_Generator_Base, PHASIC::ME_Generator_Key);

PHASIC::ME_Generator_Base* ATOOLS::Getter<PHASIC::ME_Generator_Base, PHASIC::ME_Generator_Key,
                                          PyAmp::Generator>::operator()(const PHASIC::ME_Generator_Key&) const {
    return new PyAmp::Generator();
}

void ATOOLS::Getter<PHASIC::ME_Generator_Base, PHASIC::ME_Generator_Key, PyAmp::Generator>::PrintInfo(
    std::ostream& stream, const std::size_t) const {
    stream << "Loop amplitudes and neural surrogates of pyamp";
}
