/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_line.h"
#include "output.h"

#include "heapflow/heap/region_plan.h"
#include "heapflow/heap/size_text.h"

#include <cerrno>
#include <charconv>
#include <cstdio>

namespace heapflow::tool
{

namespace
{

using Json = nlohmann::ordered_json;

constexpr const char *kDtExamples =
	"Prints device-tree source to append to that of a board: dtc merges nodes of one path.\n"
	"Addresses are hexadecimal with 0x, or sizes as 1G; sizes take K, M, G, T (powers of "
	"1024).\n\n"
	"Examples:\n"
	"  heapctl dt --frames 6 --format NV12 --size 1920x1080 --base 0x42000000\n"
	"  heapctl dt --frames 4 --format XR24 --size 3840x2160 --usage display --below 4G\n"
	"  heapctl dt --frames 8 --format NV12 --size 1280x720 --page-size 16K --label video\n"
	"  (cat board.dts; heapctl dt --frames 6 --format NV12 --size 1920x1080) | heapctl lint "
	"-\n\n"
	"Status: 0 printed, 2 used wrongly, or a region that cannot be.";

struct DtOptions {
	bool json = false;
	uint64_t frames = 0;
	std::string format;
	std::string size;
	std::string usage = "video";
	std::string base;
	std::string within;
	std::string below;
	std::string label;
	std::string pageSize = "4K";
	std::string minimumAlignment;
	unsigned alignmentOrder = CmaRules{}.alignmentOrder;
	uint32_t stride = 0;
	uint32_t strideAlign = 1;
	unsigned cells = 2;
};

/* A number all of `text` is; nothing for anything else. */
template<typename T>
std::optional<T> wholeNumber(std::string_view text, int radix)
{
	T number = 0;
	const char *const end = text.data() + text.size();
	const auto [stop, error] = std::from_chars(text.data(), end, number, radix);
	if (text.empty() || error != std::errc() || stop != end)
		return std::nullopt;
	return number;
}

/* "0x42000000" or a size; 0 is an address, too. */
Result<uint64_t> parseAddress(std::string_view text)
{
	if (text == "0")
		return 0;
	if (!text.starts_with("0x"))
		return parseSize(text);
	if (const auto number = wholeNumber<uint64_t>(text.substr(2), 16))
		return *number;
	return fail(EINVAL, "'" + std::string(text) + "' is no address", "Such as 0x42000000");
}

/* "START-END", the end not included. */
Result<MemoryRange> parseRange(std::string_view text)
{
	const size_t dash = text.find('-');
	const auto begin = parseAddress(text.substr(0, dash));
	const auto end = dash == text.npos ? begin : parseAddress(text.substr(dash + 1));
	if (!begin || !end || *begin >= *end)
		return fail(EINVAL, "'" + std::string(text) + "' is no range of addresses",
			    "START-END, as 0x40000000-0x80000000 or 1G-2G");
	return MemoryRange{*begin, *end - *begin};
}

Result<FrameLayout> parseFrame(const DtOptions &options)
{
	const auto fourcc = fourccFromString(options.format);
	if (!fourcc)
		return std::unexpected(fourcc.error());
	const std::string_view size = options.size;
	const size_t cross = size.find('x');
	const auto width = wholeNumber<uint32_t>(size.substr(0, cross), 10);
	const auto height = cross == size.npos ? std::nullopt
					       : wholeNumber<uint32_t>(size.substr(cross + 1), 10);
	if (!width || !height)
		return fail(EINVAL, "'" + options.size + "' is no frame size",
			    "WIDTHxHEIGHT in pixels, as 1920x1080");
	return makeFrameLayout(*fourcc, *width, *height, options.stride, options.strideAlign);
}

/* Reads `text` into `target` unless it is empty; false after an error. */
template<typename Target, typename Parse>
bool take(const std::string &text, Target &target, Parse parse, std::optional<Error> &error)
{
	if (text.empty())
		return true;
	auto value = parse(text);
	if (value)
		target = *value;
	else
		error = value.error();
	return value.has_value();
}

Result<RegionRequest> readRequest(const DtOptions &options)
{
	auto frame = parseFrame(options);
	if (!frame)
		return std::unexpected(frame.error());
	RegionRequest request{.frame = std::move(*frame),
			      .frames = options.frames,
			      .usage = options.usage,
			      .label = options.label,
			      .cells = options.cells};
	request.rules.alignmentOrder = options.alignmentOrder;
	std::optional<Error> error;
	if (!take(options.pageSize, request.rules.pageSize, parseSize, error) ||
	    !take(options.minimumAlignment, request.minimumAlignment, parseSize, error) ||
	    !take(options.base, request.base, parseAddress, error) ||
	    !take(options.within, request.within, parseRange, error) ||
	    !take(options.below, request.below, parseAddress, error))
		return std::unexpected(*error);
	return request;
}

int printPlanJson(const RegionPlan &plan)
{
	const RegionRequest &request = plan.request;
	Json planes = Json::array();
	for (const PlaneLayout &plane : request.frame.planes)
		planes.push_back({{"offset", plane.offset},
				  {"stride", plane.stride},
				  {"length", plane.length}});
	return printJson({{"name", plan.name},
			  {"heap_expression", plan.name},
			  {"frames", request.frames},
			  {"frame",
			   {{"format", fourccToString(request.frame.fourcc)},
			    {"width", request.frame.width},
			    {"height", request.frame.height},
			    {"bytes", plan.frameBytes},
			    {"planes", std::move(planes)}}},
			  {"page_size", request.rules.pageSize},
			  {"alignment_order", request.rules.alignmentOrder},
			  {"buffer_alignment", plan.bufferAlignment},
			  {"space", plan.space},
			  {"minimum_alignment", plan.minimumAlignment},
			  {"base", request.base ? Json(*request.base) : Json(nullptr)},
			  {"size", plan.size},
			  {"alignment", plan.regionAlignment},
			  {"source", plan.source()}});
}

int dt(const DtOptions &options)
{
	const auto request = readRequest(options);
	if (!request)
		return report(request.error(), kUsage);
	const auto plan = planRegion(*request);
	if (!plan)
		return report(plan.error(), kUsage);
	return options.json ? printPlanJson(*plan) : print(plan->source());
}

void addFrameOptions(CLI::App *command, DtOptions &options)
{
	command->add_option("--frames", options.frames, "How many frames are to be held at once")
		->type_name("N")
		->required();
	command->add_option("--format", options.format, "DRM format, as NV12")
		->type_name("FOURCC")
		->required();
	command->add_option("--size", options.size, "In pixels, as 1920x1080")
		->type_name("WxH")
		->required();
	command->add_option("--stride", options.stride, "Bytes of a line; else the smallest")
		->type_name("BYTES");
	command->add_option("--stride-align", options.strideAlign,
			    "Round the line up to a multiple of this")
		->type_name("BYTES");
}

void addRegionOptions(CLI::App *command, DtOptions &options)
{
	command->add_option("--usage", options.usage, "What the name says first")
		->type_name("WORD")
		->capture_default_str();
	auto *dynamic =
		command->add_flag("--dynamic", "The kernel chooses the place (the default)");
	auto *base = command->add_option("--base", options.base, "Where the region begins")
			     ->type_name("ADDRESS")
			     ->excludes(dynamic);
	command->add_option("--alloc-ranges", options.within, "Where the kernel may choose")
		->type_name("START-END")
		->excludes(base);
	command->add_option("--below", options.below, "Where the region ends at the latest, as 4G")
		->type_name("ADDRESS");
	command->add_option("--label", options.label, "Of the node, for memory-region = <&LABEL>")
		->type_name("LABEL");
	command->add_option("--page-size", options.pageSize, "Of the board's kernel: 4K, 16K, 64K")
		->type_name("SIZE")
		->capture_default_str();
	command->add_option("--alignment-order", options.alignmentOrder, "CONFIG_CMA_ALIGNMENT")
		->type_name("ORDER")
		->capture_default_str();
	command->add_option("--min-alignment", options.minimumAlignment,
			    "CMA_MIN_ALIGNMENT_BYTES; else 4M, 32M or 512M by the page size")
		->type_name("SIZE");
	command->add_option("--cells", options.cells,
			    "#address-cells and #size-cells of the root: 1 or 2")
		->type_name("N")
		->capture_default_str();
}

} /* namespace */

void addDtCommand(CLI::App &app, Run &run)
{
	auto *command =
		app.add_subcommand("dt", "Print the device-tree node of a region for some frames");
	const auto options = std::make_shared<DtOptions>();
	command->footer(kDtExamples);
	addFrameOptions(command, *options);
	addRegionOptions(command, *options);
	addJson(command, options->json);
	command->callback([&run, options] {
		run = [options] {
			return dt(*options);
		};
	});
}

} /* namespace heapflow::tool */
