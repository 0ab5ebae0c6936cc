/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapplanquery.h"

namespace heapflow::gst
{

namespace
{

constexpr const char *queryName = "heapflow-plan-query";
constexpr const char *termsName = "heapflow-display";

/*
 * No meta of this kind is ever made: in ALLOCATION queries it names the display. What is tagged as
 * of the memory, an element that makes frames of its own does not pass on
 * (gst_base_transform_default_decide_allocation()). A display that is not heapflow's may have
 * registered the name before.
 */
GType scanoutApi()
{
	static const GType type = [] {
		const gchar *tags[] = {GST_META_TAG_MEMORY_STR, nullptr};
		const GType known = g_type_from_name("GstHeapScanoutAPI");
		return known ? known : gst_meta_api_type_register("GstHeapScanoutAPI", tags);
	}();
	return type;
}

GstStructure *structureFrom(const DisplayTerms &terms)
{
	return gst_structure_new(termsName, "name", G_TYPE_STRING, terms.name.c_str(), "device",
				 G_TYPE_STRING, terms.device.c_str(), "pitch-alignment",
				 G_TYPE_UINT, terms.pitchAlignment, "buffers-held", G_TYPE_UINT,
				 terms.buffersHeld, "min-width", G_TYPE_UINT, terms.minimumWidth,
				 "max-width", G_TYPE_UINT, terms.maximumWidth, "min-height",
				 G_TYPE_UINT, terms.minimumHeight, "max-height", G_TYPE_UINT,
				 terms.maximumHeight, nullptr);
}

/* A field that is missing or of another type stays at its default: the sender may be any program.
 */
void readNumber(const GstStructure *structure, const char *field, uint32_t &number)
{
	guint value = 0;
	if (gst_structure_get_uint(structure, field, &value))
		number = value;
}

DisplayTerms termsFrom(const GstStructure *structure)
{
	DisplayTerms terms;
	const char *name = gst_structure_get_string(structure, "name");
	const char *device = gst_structure_get_string(structure, "device");

	terms.name = name ? name : "a display";
	terms.device = device ? device : "";
	readNumber(structure, "pitch-alignment", terms.pitchAlignment);
	readNumber(structure, "buffers-held", terms.buffersHeld);
	readNumber(structure, "min-width", terms.minimumWidth);
	readNumber(structure, "max-width", terms.maximumWidth);
	readNumber(structure, "min-height", terms.minimumHeight);
	readNumber(structure, "max-height", terms.maximumHeight);
	return terms;
}

} /* namespace */

GstQuery *newPlanQuery(const PlanQuestion &question)
{
	return gst_query_new_custom(
		GST_QUERY_CUSTOM,
		gst_structure_new(queryName, "fourcc", G_TYPE_UINT, question.fourcc, "modifier",
				  G_TYPE_UINT64, question.modifier, "width", G_TYPE_UINT,
				  question.width, "height", G_TYPE_UINT, question.height, nullptr));
}

bool parsePlanQuery(GstQuery *query, PlanQuestion &question)
{
	if (GST_QUERY_TYPE(query) != GST_QUERY_CUSTOM)
		return false;
	const GstStructure *structure = gst_query_get_structure(query);
	if (!structure || !gst_structure_has_name(structure, queryName))
		return false;
	guint fourcc = 0, width = 0, height = 0;
	guint64 modifier = 0;
	if (!gst_structure_get_uint(structure, "fourcc", &fourcc) ||
	    !gst_structure_get_uint64(structure, "modifier", &modifier) ||
	    !gst_structure_get_uint(structure, "width", &width) ||
	    !gst_structure_get_uint(structure, "height", &height))
		return false;
	question = {fourcc, modifier, width, height};
	return true;
}

void addDisplayTerms(GstQuery *query, const DisplayTerms &terms)
{
	GstStructure *structure = gst_query_writable_structure(query);
	GValue displays = G_VALUE_INIT;
	GValue one = G_VALUE_INIT;

	g_value_init(&displays, GST_TYPE_LIST);
	if (const GValue *before = gst_structure_get_value(structure, "displays");
	    before && GST_VALUE_HOLDS_LIST(before))
		g_value_copy(before, &displays);
	g_value_init(&one, GST_TYPE_STRUCTURE);
	g_value_take_boxed(&one, structureFrom(terms));
	gst_value_list_append_and_take_value(&displays, &one);
	gst_structure_take_value(structure, "displays", &displays);
}

std::vector<DisplayTerms> displayTerms(GstQuery *query)
{
	std::vector<DisplayTerms> terms;
	const GstStructure *structure = gst_query_get_structure(query);
	const GValue *displays = gst_structure_get_value(structure, "displays");

	if (!displays || !GST_VALUE_HOLDS_LIST(displays))
		return terms;
	for (guint i = 0; i < gst_value_list_get_size(displays); i++) {
		const GValue *one = gst_value_list_get_value(displays, i);
		if (GST_VALUE_HOLDS_STRUCTURE(one) && gst_value_get_structure(one))
			terms.push_back(termsFrom(gst_value_get_structure(one)));
	}
	return terms;
}

void addScanout(GstQuery *allocation, const DisplayTerms &terms)
{
	GstStructure *structure = structureFrom(terms);

	gst_query_add_allocation_meta(allocation, scanoutApi(), structure);
	gst_structure_free(structure);
}

DisplayTerms scanoutOf(GstQuery *allocation)
{
	const GstStructure *structure = nullptr;
	guint index = 0;

	if (!gst_query_find_allocation_meta(allocation, scanoutApi(), &index))
		return {};
	gst_query_parse_nth_allocation_meta(allocation, index, &structure);
	if (!structure || !gst_structure_has_name(structure, termsName))
		return {};
	return termsFrom(structure);
}

} /* namespace heapflow::gst */
