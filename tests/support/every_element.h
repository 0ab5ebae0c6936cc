/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each element of the plugin, for tests that any element of GStreamer must pass. */
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <gtest/gtest.h>

namespace heapflow::test
{

/** \brief Names of all factories that are heapflow's, sorted; loaded from the plugin or registered
 */
inline std::vector<std::string> everyElement()
{
	std::vector<std::string> names;
	GList *all = gst_registry_get_feature_list(gst_registry_get(), GST_TYPE_ELEMENT_FACTORY);

	for (const GList *item = all; item; item = item->next) {
		const char *name = gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(item->data));
		if (g_str_has_prefix(name, "heap"))
			names.emplace_back(name);
	}
	gst_plugin_feature_list_free(all);
	std::ranges::sort(names);
	return names;
}

/** \brief A warning of GLib ends the program as a critical does, for as long as this lives */
class FatalWarnings
{
public:
	FatalWarnings()
		: before_(g_log_set_always_fatal(GLogLevelFlags(
			  G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)))
	{
	}
	~FatalWarnings() { g_log_set_always_fatal(before_); }

private:
	GLogLevelFlags before_;
};

/** \brief An element that must be gone when this is; it is set to NULL before */
class AloneElement
{
public:
	explicit AloneElement(const std::string &factory)
		: element_(gst_element_factory_make(factory.c_str(), nullptr))
	{
		if (!element_)
			return;
		gst_object_ref_sink(element_);
		g_object_add_weak_pointer(G_OBJECT(element_), &watched_);
		watched_ = element_;
	}
	~AloneElement()
	{
		if (!element_)
			return;
		EXPECT_EQ(gst_element_set_state(element_, GST_STATE_NULL),
			  GST_STATE_CHANGE_SUCCESS);
		gst_object_unref(element_);
		EXPECT_EQ(watched_, nullptr) << "somebody still has a reference";
	}
	AloneElement(const AloneElement &) = delete;
	AloneElement &operator=(const AloneElement &) = delete;

	GstElement *get() const { return element_; }
	explicit operator bool() const { return element_ != nullptr; }

private:
	GstElement *element_;
	gpointer watched_ = nullptr;
};

/** \brief Fixture of the generic tests */
class EveryElement : public testing::Test
{
protected:
	const std::vector<std::string> names_ = everyElement();

private:
	const FatalWarnings fatal_;
};

} /* namespace heapflow::test */
