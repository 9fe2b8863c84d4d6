// Enumerates ordered sets of gluons.
#include "amplitudes/quark_line/words.h"

#include <algorithm>
#include <map>

namespace pyamp::quark_line {
namespace {

std::vector<std::vector<int>> longer_by_one(const std::vector<std::vector<int>>& words, int n_gluons) {
    std::vector<std::vector<int>> longer;
    for (const auto& word : words)
        for (int gluon = 0; gluon < n_gluons; ++gluon) {
            if (std::find(word.begin(), word.end(), gluon) != word.end()) continue;
            longer.push_back(word);
            longer.back().push_back(gluon);
        }
    return longer;
}

std::vector<int> helicity_numbers(const std::vector<int>& gluons) {
    const int n = static_cast<int>(gluons.size());
    std::vector<int> numbers;
    for (int h = 0; h < 1 << n; ++h) {
        int number = 0;
        for (int i = 0; i < n; ++i) number |= (h >> (n - 1 - i) & 1) << gluons[i];
        numbers.push_back(number);
    }
    return numbers;
}

}  // namespace

Words::Words(int n) : n_gluons(n) {
    std::map<std::vector<int>, int> number;
    std::vector<std::vector<int>> of_length{{}};
    for (int length = 0; length <= n; ++length, of_length = longer_by_one(of_length, n)) {
        first_ordering = static_cast<int>(all.size());
        n_orderings = static_cast<int>(of_length.size());
        for (const auto& gluons : of_length) {
            number[gluons] = static_cast<int>(all.size());
            Word word;
            word.gluons = gluons;
            for (int gluon : gluons) word.set |= 1u << gluon;
            word.is_canonical = length < 2 || gluons.front() < gluons.back();
            word.helicities = helicity_numbers(gluons);
            if (length == 1 || (length > 1 && length < n)) {
                word.first_pair = n_pairs;
                n_pairs += word.n_pairs();
            }
            all.push_back(word);
        }
    }
    for (Word& word : all) {
        word.reversed = number[{word.gluons.rbegin(), word.gluons.rend()}];
        for (int j = 0; j <= word.length(); ++j) {
            word.prefix[j] = number[{word.gluons.begin(), word.gluons.begin() + j}];
            word.suffix[j] = number[{word.gluons.begin() + j, word.gluons.end()}];
        }
    }
}

}  // namespace pyamp::quark_line
