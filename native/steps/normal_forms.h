// Unicode normal forms with alignments, fixed at Unicode 9: characters that came later are left
// alone.
#pragma once

#include "text/aligned_text.h"

namespace headway {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

void to_normal_form(NormalForm form, AlignedText& text);

}  // namespace headway
