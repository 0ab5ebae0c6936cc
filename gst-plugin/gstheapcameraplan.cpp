/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapcameraplan.h"

#include "gstheapi18n.h"

#include "heapflow/camera/camera_probe.h"
#include "heapflow/display/display_probe.h"
#include "heapflow/heap/plan.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <numeric>

namespace heapflow::gst
{

namespace
{

/* One being filled and one to be filled next. */
constexpr uint32_t cameraKeeps = 2;

/* All displays show the same frames, so one plane that needs what all of them need. */
PlanPlane commonPlane(const CaptureRequest &request, const std::vector<DisplayTerms> &displays)
{
	PlanPlane plane;
	plane.formats = {{request.fourcc, request.modifier}};
	plane.buffersHeld = 0;
	for (const DisplayTerms &display : displays) {
		plane.name += (plane.name.empty() ? "" : " and ") + display.name;
		if (display.pitchAlignment)
			plane.pitchAlignment = uint32_t(
				std::min<uint64_t>(std::lcm(uint64_t{plane.pitchAlignment},
							    uint64_t{display.pitchAlignment}),
						   UINT32_MAX));
		plane.buffersHeld = std::max(plane.buffersHeld, display.buffersHeld);
		plane.minWidth = std::max(plane.minWidth, display.minimumWidth);
		plane.minHeight = std::max(plane.minHeight, display.minimumHeight);
		if (display.maximumWidth)
			plane.maxWidth = std::min(plane.maxWidth, display.maximumWidth);
		if (display.maximumHeight)
			plane.maxHeight = std::min(plane.maxHeight, display.maximumHeight);
	}
	return plane;
}

/* A place for the frames that nothing can be wrong with. */
Heap anyHeap()
{
	Heap heap;
	heap.accessible = true;
	heap.region.contiguous = true;
	return heap;
}

std::string clashText(const NoPlan &none)
{
	std::string text;
	for (const Alternative &miss : none.misses)
		for (const Clash &clash : miss.clashes)
			text += (text.empty() ? "" : "; ") + describe(clash);
	return text;
}

bool leavesItToDevices(const HeapExpression &expression)
{
	return std::ranges::any_of(expression.alternatives, [](const HeapAlternative &one) {
		return one.kind == HeapAlternative::Kind::Auto;
	});
}

/* The devices that can be asked; one that cannot be opened is not proven, as its need says. */
class Probes
{
public:
	Probes(const CameraInfo &camera, const std::vector<std::string> &displays)
	{
		if (camera.backend == CameraBackend::V4l2)
			keep(openCameraProbe(camera.id));
		for (const std::string &display : displays)
			keep(openDisplayProbe(display));
	}
	std::vector<MemoryProbe *> pointers() const
	{
		std::vector<MemoryProbe *> all;
		for (const auto &probe : probes_)
			all.push_back(probe.get());
		return all;
	}

private:
	void keep(Result<std::unique_ptr<MemoryProbe>> probe)
	{
		if (probe)
			probes_.push_back(std::move(*probe));
	}

	std::vector<std::unique_ptr<MemoryProbe>> probes_;
};

} /* namespace */

Result<FramePlan> planFrames(const std::string &camera, const CaptureRequest &request,
			     const std::vector<DisplayTerms> &displays)
{
	if (displays.empty() || !isPicture(request.fourcc, request.modifier))
		return FramePlan{};

	PlanRequest wanted;
	wanted.source.name = camera;
	wanted.source.keeps = cameraKeeps;
	/* Every camera takes a wish for a stride; what it makes of it, configure() tells. */
	wanted.source.modes = {{.fourcc = request.fourcc,
				.modifier = request.modifier,
				.size = SizeRange::of(request.width, request.height)}};
	wanted.planes = {commonPlane(request, displays)};
	wanted.heaps.inOrder = {anyHeap()};
	const auto plan = solvePlan(wanted);
	if (!plan)
		return fail(EINVAL, clashText(plan.error()));

	const auto own = makeFrameLayout(request.fourcc, request.width, request.height,
					 {.modifier = request.modifier, .padPlanes = false});
	const uint32_t stride = plan->layout.planes.front().stride;
	const bool asIs = own && own->planes.front().stride == stride;
	return FramePlan{asIs ? 0 : stride, plan->buffers};
}

Result<void> checkScanout(const std::string &camera, const FrameLayout &layout,
			  const DisplayTerms &display)
{
	for (const PlaneLayout &plane : layout.planes) {
		if (!display.pitchAlignment || plane.stride % display.pitchAlignment == 0)
			continue;
		return fail(
			EINVAL,
			formatted(_("%s needs pitches that are multiples of %u bytes; %s gives %u"),
				  display.name.c_str(), display.pitchAlignment, camera.c_str(),
				  plane.stride),
			formatted(_("Choose a width whose lines are multiples of %u bytes, or "
				    "another format"),
				  display.pitchAlignment));
	}
	const bool small =
		layout.width < display.minimumWidth || layout.height < display.minimumHeight;
	const bool large = (display.maximumWidth && layout.width > display.maximumWidth) ||
			   (display.maximumHeight && layout.height > display.maximumHeight);
	if (small || large)
		return fail(ERANGE,
			    formatted(_("%s shows frames of %ux%u to %ux%u; %s gives %ux%u"),
				      display.name.c_str(), display.minimumWidth,
				      display.minimumHeight, display.maximumWidth,
				      display.maximumHeight, camera.c_str(), layout.width,
				      layout.height));
	return {};
}

Result<HeapChoice> chooseCameraHeap(const std::string &expression, const CameraInfo &camera,
				    MemoryNeeds needs, const std::vector<std::string> &displays)
{
	const auto parsed = parseHeapExpression(expression);
	if (!parsed)
		return std::unexpected(parsed.error());
	if (!leavesItToDevices(*parsed))
		return chooseHeap(expression);
	const auto heaps = listHeaps();
	if (!heaps)
		return std::unexpected(heaps.error());

	/* A proof belongs to the needs of its device: MemoryNeeds::who. */
	const Probes probes(camera, displays);
	if (camera.backend == CameraBackend::V4l2)
		needs.who = camera.id;
	std::vector<MemoryNeeds> all = {std::move(needs)};
	for (const std::string &display : displays) {
		MemoryNeeds shown;
		shown.who = display;
		all.push_back(std::move(shown));
	}
	return chooseProvenHeap(*parsed, *heaps, std::move(all), probes.pointers());
}

std::string heapReasons(const HeapChoice &choice)
{
	std::string text;
	for (const HeapCandidate &candidate : choice.candidates)
		text += (text.empty() ? "" : "; ") + candidate.heap.name.text + ": " +
			candidate.reason;
	return text;
}

} /* namespace heapflow::gst */
