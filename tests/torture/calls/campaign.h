/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All faults of a scenario, one after the other. */
#pragma once

#include "injection.h"

#include <functional>
#include <string>
#include <vector>

namespace heapflow::torture
{

/** \brief Which calls fail, and in how many ways */
enum class Depth {
	Brief,      /**< each kind of call at its first, once repeated and once failing for ever */
	Kinds,      /**< each kind of call, at its first, second and last; every errno */
	EveryStack, /**< each call stack by itself, at its first and last; every errno */
};

struct CampaignOptions {
	Depth depth = Depth::Kinds;
	std::string only; /**< how the names of the kinds begin; empty: all */
};

/** \brief What came of all faults of one kind of call */
struct KindResult {
	CallKind kind;
	unsigned injected = 0;
	unsigned survived = 0;
	std::string example;               /**< what a user saw, of the most telling one */
	std::vector<std::string> failures; /**< each with the words for --only */
	std::vector<std::string> missed;   /**< not reached, with the reason why that is right */
};

/** \brief One fault to be injected */
struct PlannedFault {
	Target target;
	Meaning meaning = Meaning::Fails;
	const char *mayBeMissed = nullptr; /**< why a run may not make the call so often */
};

/** \brief Of one kind: which occurrences, which errnos, once and for ever; pure */
std::vector<PlannedFault> planFaults(const CallKind &kind, const std::vector<CallSite> &sites,
				     const CampaignOptions &options);

/**
 * \brief Run them; after those of each kind (when brief, after all) once without a fault: are the
 * devices usable?
 *
 * \param[in] onKind Called when a kind is done
 * \return false when the scenario does not work at all
 */
bool runCampaign(Injector &injector, const CampaignOptions &options,
		 const std::function<void(const KindResult &)> &onKind);

} /* namespace heapflow::torture */
