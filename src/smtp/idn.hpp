// SPDX-License-Identifier: MIT
#pragma once
// smtp/idn: internationalised labels of a domain, to the form that DNS holds (RFC 5890, RFC 5891).
//
// The one place that meets libidn2. It takes single labels only: what a domain is, and where its
// labels end, is decided before (smtp/domain), as the library would accept empty labels and find
// dots of its own. Case, width and normal form are mapped as UTS #46 has it, non-transitional
// (faß stays faß); what comes out must then be valid in IDNA 2008 itself, so that symbols and emoji,
// which some of the mapping tables let through, are refused.
//
// Pure functions; no locale. Out of memory is std::bad_alloc.

#include "postrider/result.hpp"

#include <string>
#include <string_view>

namespace postrider::smtp {

/// The form for DNS of a label that is not all ASCII: an A-label, "xn--" and so on. Mapping may also
/// give plain ASCII (full-width letters), dots, or nothing: the caller must check the outcome as it
/// checks any label. The problem has no offset, and reads on after a colon.
result<std::string> to_ascii_label(std::string_view label);

/// The U-label that an A-label in lower case stands for. A problem if it stands for none: if it
/// does not decode, decodes to what IDNA 2008 refuses, or is not how its U-label is encoded.
result<std::string> to_unicode_label(std::string_view a_label);

} // namespace postrider::smtp
