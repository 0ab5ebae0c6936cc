/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is handed a foreign dma-buf; each then gets a good one, and must work with that. */
#pragma once

#include "apart.h"
#include "foreign_claims.h"
#include "foreign_memory.h"

#include <string>

namespace heapflow::torture
{

using MakeMemory = Result<UniqueFd> (*)(uint64_t size);

/** \brief For appsrc ! `behind`, whose sink is heapkmssink */
Verdict pipelineShows(const std::string &behind, MakeMemory make, const Claim &claim = {});

/** \brief What becomes of a descriptor while others hold the memory that it is of */
enum class Loss { Closed, AnotherDmabuf, ShorterDmabuf, NoDmabuf };
const char *nameOf(Loss loss);

/** \brief The sink has shown the frame, and gets it once more */
Verdict pipelineShowsAgain(const std::string &behind, Loss loss);
/** \brief So many frames, each lost once it was shown: nothing of them may be kept */
Verdict pipelineForgets(Loss loss, unsigned frames);
/** \brief heapcamerasrc ! heapkmssink, which circulates the buffers of a pool */
Verdict cameraPipelineLoses(Loss loss, unsigned atFrame);

Verdict screenShows(MakeMemory make);
/** \brief Claims of good memory; `accepted` counts those that were taken */
Verdict screenTakesClaims(std::span<const Claim> claims, unsigned &accepted);

/** \brief One of the buffers that it captures into is foreign */
Verdict cameraCaptures(const std::string &camera, MakeMemory make, unsigned which);
Verdict cameraLoses(const std::string &camera, Loss loss);

/** \brief Mapped, written, read, fenced and named */
Verdict heapLibraryUses(MakeMemory make);

} /* namespace heapflow::torture */
