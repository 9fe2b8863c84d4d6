// Order and contract files: lines of settings and processes with answers behind a bar.
#include "amplitudes/blha/order_text.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

#include "error.h"

namespace pyamp::blha {
namespace {

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::string lower_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

Line parse_line(const std::string& text, const std::string& where) {
    Line line;
    const std::string uncommented = text.substr(0, text.find('#'));
    const auto bar = uncommented.find('|');
    line.answered = bar != std::string::npos;
    line.text = trimmed(uncommented.substr(0, bar));
    if (line.answered) line.answer = trimmed(uncommented.substr(bar + 1));
    if (line.text.empty()) return line;
    if (line.text.find("->") != std::string::npos) {
        line.kind = Line::Kind::process;
        line.process = parse_process(line.text, where);
        return line;
    }
    line.kind = Line::Kind::setting;
    std::istringstream words(line.text);
    std::string word;
    words >> line.key;
    while (words >> word) line.value += (line.value.empty() ? "" : " ") + word;
    return line;
}

std::vector<Line> read_lines(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw Error(path + ": cannot be opened; a BLHA order or contract file expected");
    std::vector<Line> lines;
    std::string text;
    while (std::getline(file, text)) lines.push_back(parse_line(text, path));
    return lines;
}

std::vector<int> map_legs(const Process& wanted, const Process& given) {
    if (wanted.n_legs() != given.n_legs() || wanted.n_incoming != given.n_incoming) return {};
    std::vector<int> legs;
    for (int leg = 0; leg < wanted.n_legs(); ++leg) {
        const int first = leg < wanted.n_incoming ? 0 : wanted.n_incoming;
        const int last = leg < wanted.n_incoming ? wanted.n_incoming : wanted.n_legs();
        int other = first;
        while (other < last &&
               (given.pdg_ids[static_cast<std::size_t>(other)] != wanted.pdg_ids[static_cast<std::size_t>(leg)] ||
                std::find(legs.begin(), legs.end(), other) != legs.end()))
            ++other;
        if (other == last) return {};
        legs.push_back(other);
    }
    return legs;
}

}  // namespace pyamp::blha
