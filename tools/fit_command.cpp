/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"

#include "output.h"
#include "table.h"

#include "heapflow/heap/fit.h"
#include "heapflow/heap/frame_layout.h"
#include "heapflow/heap/heap_choice.h"
#include "heapflow/heap/size_text.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kFitExamples =
	"EXPRESSION is a heap expression (heapctl explain --help); without one, every heap is "
	"asked.\n"
	"Status: 0 the frames fit in a heap of it, 1 they fit in none, or it cannot be told; with\n"
	"--verify also 1 when the prediction was wrong; 2 used wrongly.\n\n"
	"Examples:\n"
	"  heapctl fit --frames 6 --format NV12 --size 1920x1080 video@42000000\n"
	"  heapctl fit --frames 4 --format NV12 --size 1920x1080 --per-plane 'video@*:default'\n"
	"  heapctl fit --frames 8 --bytes 3110400 --verify default     ask the kernel as well\n"
	"  heapctl fit --frames 6 --bytes 8M --sysroot copy-of-a-board '*' --json";

/* With --verify no more buffers than that are allocated from a heap. */
constexpr uint64_t kVerifyLimit = 16384;

struct FitOptions {
	bool json = false;
	bool verify = false;
	bool perPlane = false;
	std::string expression = "*";
	std::string format;
	std::string size;
	std::vector<std::string> bytes;
	uint32_t strideAlignment = 1;
	uint64_t frames = 1;
	SystemPaths paths;
	bool elsewhere = false; /* --sysroot was given */
};

struct HeapFit {
	Heap heap;
	bool usable = false;
	std::string obstacle; /* when not usable */
	FreeSpace space;
	Fit fit;
	std::optional<uint64_t> verified; /* frames that the kernel gave */
	bool verifiedAll = false;         /* it was asked until it said no */
	std::string verifyNote;
};

Result<std::pair<uint32_t, uint32_t>> parseFrameSize(std::string_view text)
{
	uint32_t width = 0;
	uint32_t height = 0;
	const char *const end = text.data() + text.size();
	auto read = std::from_chars(text.data(), end, width);
	if (read.ec == std::errc() && read.ptr != end && *read.ptr == 'x')
		read = std::from_chars(read.ptr + 1, end, height);
	if (read.ec != std::errc() || read.ptr != end || width == 0 || height == 0)
		return fail(EINVAL, "'" + std::string(text) + "' is no size of a frame",
			    "Write it as 1920x1080");
	return std::pair(width, height);
}

/* The buffers of one frame. */
Result<std::vector<uint64_t>> frameBuffers(const FitOptions &options)
{
	std::vector<uint64_t> buffers;
	for (const std::string &text : options.bytes) {
		const auto size = parseSize(text);
		if (!size)
			return std::unexpected(size.error());
		buffers.push_back(*size);
	}
	if (!buffers.empty())
		return buffers;

	const auto fourcc = fourccFromString(options.format);
	if (!fourcc)
		return std::unexpected(fourcc.error());
	const auto size = parseFrameSize(options.size);
	if (!size)
		return std::unexpected(size.error());
	const auto layout =
		makeFrameLayout(*fourcc, size->first, size->second, 0, options.strideAlignment);
	if (!layout)
		return std::unexpected(layout.error());
	if (!options.perPlane)
		return std::vector{layout->size()};
	for (const PlaneLayout &plane : layout->planes)
		buffers.push_back(plane.length);
	return buffers;
}

Result<void> checkOptions(const FitOptions &options)
{
	const bool frame = !options.format.empty() || !options.size.empty();
	if (frame == !options.bytes.empty())
		return fail(EINVAL, "say either --format and --size, or --bytes",
			    "heapctl fit --frames 6 --format NV12 --size 1920x1080");
	if (frame && (options.format.empty() || options.size.empty()))
		return fail(EINVAL, "--format and --size go together",
			    "heapctl fit --frames 6 --format NV12 --size 1920x1080");
	if (options.verify && options.elsewhere)
		return fail(EINVAL, "--verify asks this kernel, --sysroot another system",
			    "Leave one out");
	return {};
}

/* Frames that this heap really gives: until it says no, or so many that the answer is clear. */
void verify(HeapFit &one, const FitRequest &request)
{
	const auto device = HeapDevice::open(one.heap);
	if (!device) {
		one.verifyNote = device.error().message;
		return;
	}
	/* `system` has no end but that of the machine: only what was asked for is tried. */
	const uint64_t wanted = one.space.contiguous
					? std::max(request.frames, one.fit.atMost.value_or(0)) + 1
					: std::min(request.frames, one.fit.certain);
	const uint64_t limit = std::min(wanted, kVerifyLimit / request.buffers.size());
	std::vector<Buffer> held;
	uint64_t frames = 0;
	for (; frames < limit && !one.verifiedAll; frames += one.verifiedAll ? 0 : 1) {
		for (const uint64_t bytes : request.buffers) {
			auto buffer = device->allocate(bytes, "heapctl fit");
			if (!buffer) {
				one.verifiedAll = buffer.error().code == ENOMEM;
				one.verifyNote = buffer.error().message;
				break;
			}
			held.push_back(std::move(*buffer));
		}
		if (!one.verifyNote.empty())
			break;
	}
	one.verified = frames;
}

/* Did the kernel agree? */
bool isRight(const HeapFit &one)
{
	if (!one.verified)
		return !one.usable;
	if (*one.verified < one.fit.certain && one.verifiedAll)
		return false;
	return !one.fit.atMost || *one.verified <= *one.fit.atMost;
}

std::string obstacleOf(const HeapCandidate &candidate)
{
	for (const Consideration &considered : candidate.considered) {
		if (considered.named)
			return considered.reason;
	}
	return {};
}

std::vector<HeapFit> predictAll(const HeapChoice &choice, const FitRequest &request,
				const CmaRules &rules, const FitOptions &options)
{
	std::vector<HeapFit> fits;
	for (const HeapCandidate &candidate : choice.candidates) {
		HeapFit one{.heap = candidate.heap, .usable = candidate.matches};
		if (!candidate.matches)
			one.obstacle = obstacleOf(candidate);
		if (!candidate.matches && one.obstacle.empty())
			continue;
		one.space = freeSpace(one.heap, options.paths);
		one.fit = predictFit(request, one.space, rules);
		if (options.verify && one.usable)
			verify(one, request);
		fits.push_back(std::move(one));
	}
	return fits;
}

bool serves(const HeapFit &one, const FitRequest &request)
{
	if (!one.usable)
		return false;
	if (one.verified)
		return *one.verified >= request.frames;
	return one.fit.verdict == Fit::Verdict::Fits;
}

const char *verdictText(Fit::Verdict verdict)
{
	switch (verdict) {
	case Fit::Verdict::Fits:
		return "yes";
	case Fit::Verdict::Fails:
		return "no";
	case Fit::Verdict::Unknown:
		break;
	}
	return "unknown";
}

std::string countText(const Fit &fit)
{
	if (fit.exact)
		return std::to_string(fit.certain);
	return std::to_string(fit.certain) + "-" + (fit.atMost ? std::to_string(*fit.atMost) : "?");
}

std::string noteText(const HeapFit &one)
{
	std::string note = one.usable ? "" : "not taken: " + one.obstacle + "; ";
	note += one.fit.reason;
	if (one.verified)
		note += "; the kernel gave " + std::to_string(*one.verified) +
			(isRight(one) ? ", as predicted" : ": NOT AS PREDICTED");
	else if (!one.verifyNote.empty())
		note += "; not verified: " + one.verifyNote;
	return note;
}

std::string requestText(const FitRequest &request, const FitOptions &options)
{
	std::string text =
		std::to_string(request.frames) + (request.frames == 1 ? " frame" : " frames");
	if (!options.format.empty())
		text += " of " + options.format + " " + options.size;
	text += ", each ";
	for (size_t i = 0; i < request.buffers.size(); i++)
		text += (i ? " + " : "") + std::to_string(request.buffers[i]);
	return text + " bytes";
}

int printFits(const std::vector<HeapFit> &fits, const FitRequest &request, const CmaRules &rules,
	      const FitOptions &options)
{
	using enum Table::Align;
	Table table({{"HEAP", Left},
		     {"FITS", Left},
		     {"FRAMES", Right},
		     {"EMPTY", Right},
		     {"FREE", Right},
		     {"LARGEST", Right},
		     {"WHY", Left}});
	for (const HeapFit &one : fits)
		table.addRow({one.heap.name.text, verdictText(one.fit.verdict), countText(one.fit),
			      one.fit.empty ? std::to_string(*one.fit.empty) : "-",
			      sizeText(one.space.free), sizeText(one.space.largest),
			      noteText(one)});
	std::string text = requestText(request, options);
	text += "; in a CMA region each begins at a multiple of ";
	for (size_t i = 0; i < request.buffers.size(); i++)
		text += (i ? " and " : "") +
			std::to_string(cmaAlignment(request.buffers[i], rules));
	return print(safeText(text) + "\n" + table.text());
}

Json toJson(const HeapFit &one, const FitRequest &request, const CmaRules &rules)
{
	Json alignments = Json::array();
	for (const uint64_t bytes : request.buffers)
		alignments.push_back(one.space.contiguous ? Json(cmaAlignment(bytes, rules))
							  : Json(nullptr));
	return {
		{"heap", one.heap.name.text},
		{"region", one.heap.region.id},
		{"usable", one.usable},
		{"obstacle", one.usable ? Json(nullptr) : Json(one.obstacle)},
		{"fits", one.fit.verdict == Fit::Verdict::Unknown
				 ? Json(nullptr)
				 : Json(one.fit.verdict == Fit::Verdict::Fits)},
		{"frames_certain", one.fit.certain},
		{"frames_at_most", orNull(one.fit.atMost)},
		{"exact", one.fit.exact},
		{"frames_in_empty_region", orNull(one.fit.empty)},
		{"alignments", std::move(alignments)},
		{"total", orNull(one.space.total)},
		{"free", orNull(one.space.free)},
		{"largest", orNull(one.space.largest)},
		{"reason", one.fit.reason},
		{"verified_frames", orNull(one.verified)},
		{"as_predicted", one.verified ? Json(isRight(one)) : Json(nullptr)},
	};
}

int printFitsJson(const std::vector<HeapFit> &fits, const FitRequest &request,
		  const CmaRules &rules, const FitOptions &options)
{
	Json heaps = Json::array();
	Json taken = nullptr;
	for (const HeapFit &one : fits) {
		if (taken.is_null() && serves(one, request))
			taken = one.heap.name.text;
		heaps.push_back(toJson(one, request, rules));
	}
	return printJson({
		{"expression", options.expression},
		{"frames", request.frames},
		{"format", options.format.empty() ? Json(nullptr) : Json(options.format)},
		{"size", options.size.empty() ? Json(nullptr) : Json(options.size)},
		{"buffers", request.buffers},
		{"page_size", rules.pageSize},
		{"largest_alignment", rules.pageSize << rules.alignmentOrder},
		{"fits_in", std::move(taken)},
		{"heaps", std::move(heaps)},
	});
}

/* What the status says in words, for a person who reads only the last line. */
int conclude(const std::vector<HeapFit> &fits, const FitRequest &request, const FitOptions &options)
{
	const auto wrong = std::ranges::find_if(
		fits, [](const HeapFit &one) { return one.verified && !isRight(one); });
	if (wrong != fits.end())
		return report({EIO,
			       "the prediction for " + wrong->heap.name.text +
				       " was wrong: the kernel gave " +
				       std::to_string(*wrong->verified) + " frames, not " +
				       countText(wrong->fit),
			       "Others may have allocated meanwhile, or pages are pinned: " +
				       wrong->verifyNote});
	if (std::ranges::any_of(fits, [&](const HeapFit &one) { return serves(one, request); }))
		return kSuccess;
	const bool unknown = std::ranges::any_of(fits, [](const HeapFit &one) {
		return one.usable && one.fit.verdict == Fit::Verdict::Unknown;
	});
	return report({ENOMEM,
		       requestText(request, options) +
			       (unknown ? ": nobody can tell whether they fit"
					: ": they fit in no heap of '" + options.expression + "'"),
		       unknown ? "As root, with debugfs mounted, the answer is exact; or ask the "
				 "kernel with --verify"
			       : "heapctl list --holders shows who has the memory; heapctl dt "
				 "prints a region that is large enough"});
}

int fit(const FitOptions &options)
{
	if (const auto checked = checkOptions(options); !checked)
		return report(checked.error(), kUsage);
	const auto buffers = frameBuffers(options);
	if (!buffers)
		return report(buffers.error(), kUsage);
	const auto expression = readExpression(options.expression);
	if (!expression)
		return kUsage;

	const auto heaps = listHeaps(options.paths);
	if (!heaps)
		return report(heaps.error());
	const HeapChoice choice = explainChoice(*expression, *heaps);
	const FitRequest request{.buffers = *buffers, .frames = options.frames};
	const CmaRules rules = cmaRules(options.paths);
	const auto fits = predictAll(choice, request, rules, options);
	if (fits.empty()) {
		const auto none = chooseHeap(*expression, *heaps, {}, &options.paths);
		return none ? kFailure : report(none.error());
	}
	const int printed = options.json ? printFitsJson(fits, request, rules, options)
					 : printFits(fits, request, rules, options);
	return printed == kSuccess ? conclude(fits, request, options) : printed;
}

} /* namespace */

void addFitCommand(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("fit", "Tell how many frames still fit in a heap");
	const auto options = std::make_shared<FitOptions>();
	command->footer(kFitExamples);
	command->add_option("EXPRESSION", options->expression, "A heap expression (every heap)");
	command->add_option("--frames", options->frames, "How many are wanted (1)")
		->type_name("N")
		->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}));
	command->add_option("--format", options->format, "A DRM fourcc, such as NV12")
		->type_name("FOURCC");
	command->add_option("--size", options->size, "Of a frame in pixels, such as 1920x1080")
		->type_name("WxH");
	command->add_option("--stride-align", options->strideAlignment,
			    "Lines begin at multiples of it (1)")
		->type_name("BYTES")
		->check(CLI::Range(uint32_t{1}, uint32_t{1} << 20));
	command->add_flag("--per-plane", options->perPlane, "Each plane has a buffer of its own");
	command->add_option("--bytes", options->bytes,
			    "A buffer of a frame, such as 3110400 or 8M; may be repeated")
		->type_name("SIZE")
		->allow_extra_args(false);
	command->add_flag("--verify", options->verify,
			  "Allocate until the kernel says no, compare, and free all");
	addJson(command, options->json);
	auto *root = addSysroot(command, options->paths);
	command->callback([&run, options, root] {
		options->elsewhere = root->count() > 0;
		run = [options] {
			return fit(*options);
		};
	});
}

} /* namespace heapflow::tool */
