/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every property of every element: documented, with the default that it says, and settable to all
 * that its range allows. */
#include "every_element.h"

#include <functional>
#include <memory>
#include <string_view>

using namespace heapflow::test;

namespace
{

using EveryElementsProperties = EveryElement;

/* Those of the element's own classes: GObject's and GStreamer's are theirs. */
void forEachProperty(const std::vector<std::string> &names,
		     const std::function<void(const AloneElement &, GParamSpec *)> &look,
		     GstState state = GST_STATE_NULL)
{
	for (const std::string &name : names) {
		const AloneElement element(name);
		ASSERT_TRUE(element);
		gst_element_set_state(element.get(), state);
		guint count = 0;
		GParamSpec **specs =
			g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &count);
		const std::unique_ptr<GParamSpec *, decltype(&g_free)> owner(specs, g_free);
		for (guint i = 0; i < count; i++) {
			SCOPED_TRACE(name + "::" + specs[i]->name);
			look(element, specs[i]);
		}
		EXPECT_GT(count, 2U) << name;
	}
}

/* gst_video_overlay_install_properties() gives heapkmssink one that is GStreamer's. */
bool isOurs(const GParamSpec *spec)
{
	return g_str_has_prefix(g_type_name(spec->owner_type), "GstHeap") &&
	       std::string_view(spec->name) != "render-rectangle";
}

class Value
{
public:
	explicit Value(GType type) { g_value_init(&value_, type); }
	~Value() { g_value_unset(&value_); }
	Value(const Value &) = delete;
	Value &operator=(const Value &) = delete;
	GValue *get() { return &value_; }
	std::string text()
	{
		g_autofree char *contents = g_strdup_value_contents(&value_);
		return contents;
	}

private:
	GValue value_ = G_VALUE_INIT;
};

/* Calls `use` with each extreme of a type that has some. */
void forEachExtreme(GParamSpec *spec, const std::function<void(GValue *)> &use)
{
	Value value(spec->value_type);
	const auto each = [&](const auto &list, auto set) {
		for (const auto &item : list) {
			set(value.get(), item);
			use(value.get());
		}
	};

	if (G_IS_PARAM_SPEC_INT(spec)) {
		const auto *range = G_PARAM_SPEC_INT(spec);
		each(std::vector{range->minimum, range->maximum, range->default_value},
		     g_value_set_int);
	} else if (G_IS_PARAM_SPEC_UINT(spec)) {
		const auto *range = G_PARAM_SPEC_UINT(spec);
		each(std::vector{range->minimum, range->maximum, range->default_value},
		     g_value_set_uint);
	} else if (G_IS_PARAM_SPEC_INT64(spec)) {
		const auto *range = G_PARAM_SPEC_INT64(spec);
		each(std::vector{range->minimum, range->maximum, range->default_value},
		     g_value_set_int64);
	} else if (G_IS_PARAM_SPEC_UINT64(spec)) {
		const auto *range = G_PARAM_SPEC_UINT64(spec);
		each(std::vector{range->minimum, range->maximum, range->default_value},
		     g_value_set_uint64);
	} else if (G_IS_PARAM_SPEC_FLOAT(spec)) {
		const auto *range = G_PARAM_SPEC_FLOAT(spec);
		each(std::vector{range->minimum, range->maximum, range->default_value},
		     g_value_set_float);
	} else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
		const auto *range = G_PARAM_SPEC_DOUBLE(spec);
		each(std::vector{range->minimum, range->maximum, range->default_value},
		     g_value_set_double);
	} else if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
		each(std::vector<gboolean>{TRUE, FALSE, G_PARAM_SPEC_BOOLEAN(spec)->default_value},
		     g_value_set_boolean);
	} else if (G_IS_PARAM_SPEC_ENUM(spec)) {
		const auto *range = G_PARAM_SPEC_ENUM(spec);
		for (guint i = 0; i < range->enum_class->n_values; i++) {
			g_value_set_enum(value.get(), range->enum_class->values[i].value);
			use(value.get());
		}
		g_value_set_enum(value.get(), range->default_value);
		use(value.get());
	} else if (G_IS_PARAM_SPEC_FLAGS(spec)) {
		const auto *range = G_PARAM_SPEC_FLAGS(spec);
		each(std::vector{0U, range->flags_class->mask, range->default_value},
		     g_value_set_flags);
	}
}

TEST_F(EveryElementsProperties, AreDocumented)
{
	forEachProperty(names_, [](const AloneElement &, GParamSpec *spec) {
		if (!isOurs(spec))
			return;
		const std::string name = spec->name;
		EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
			  std::string::npos)
			<< "not kebab-case";
		const char *nick = g_param_spec_get_nick(spec);
		const std::string blurb = g_param_spec_get_blurb(spec);
		EXPECT_TRUE(nick && *nick);
		EXPECT_GT(blurb.size(), 10U) << blurb;
		EXPECT_NE(blurb, nick);
		EXPECT_NE(blurb.back(), '.') << "gst-inspect's blurbs are no sentences: " << blurb;
		/* What is written says when it may be. */
		constexpr int mutability = GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED |
					   GST_PARAM_MUTABLE_PLAYING | G_PARAM_CONSTRUCT_ONLY;
		if (spec->flags & G_PARAM_WRITABLE) {
			EXPECT_TRUE(spec->flags & mutability) << "GST_PARAM_MUTABLE_... is missing";
		}
	});
}

/* A specification says no default of objects and structures. */
TEST_F(EveryElementsProperties, HaveTheDefaultThatTheySay)
{
	forEachProperty(names_, [](const AloneElement &element, GParamSpec *spec) {
		if (!isOurs(spec) || !(spec->flags & G_PARAM_READABLE) ||
		    !(spec->flags & G_PARAM_WRITABLE) || G_TYPE_IS_OBJECT(spec->value_type) ||
		    G_TYPE_IS_BOXED(spec->value_type))
			return;
		Value present(spec->value_type), said(spec->value_type);
		g_object_get_property(G_OBJECT(element.get()), spec->name, present.get());
		g_param_value_set_default(spec, said.get());
		EXPECT_EQ(g_param_values_cmp(spec, present.get(), said.get()), 0)
			<< "is " << present.text() << ", said " << said.text();
	});
}

TEST_F(EveryElementsProperties, TakeEveryValueOfTheirRange)
{
	forEachProperty(names_, [](const AloneElement &element, GParamSpec *spec) {
		if (!(spec->flags & G_PARAM_WRITABLE) || (spec->flags & G_PARAM_CONSTRUCT_ONLY) ||
		    !isOurs(spec))
			return;
		forEachExtreme(spec, [&](GValue *wanted) {
			g_object_set_property(G_OBJECT(element.get()), spec->name, wanted);
			if (!(spec->flags & G_PARAM_READABLE))
				return;
			Value present(spec->value_type);
			g_object_get_property(G_OBJECT(element.get()), spec->name, present.get());
			g_autofree char *text = g_strdup_value_contents(wanted);
			EXPECT_EQ(g_param_values_cmp(spec, present.get(), wanted), 0)
				<< "set to " << text << ", is " << present.text();
		});
	});
}

TEST_F(EveryElementsProperties, TakeNothingAndNonsense)
{
	const std::string endless(100000, '*');
	forEachProperty(names_, [&](const AloneElement &element, GParamSpec *spec) {
		if (!(spec->flags & G_PARAM_WRITABLE) || (spec->flags & G_PARAM_CONSTRUCT_ONLY) ||
		    !isOurs(spec))
			return;
		if (spec->value_type == G_TYPE_STRING) {
			for (const char *text :
			     {"", "%s%n", "\xff\xfe", endless.c_str(), "::", "!"})
				g_object_set(element.get(), spec->name, text, nullptr);
			g_object_set(element.get(), spec->name, nullptr, nullptr);
		} else if (G_TYPE_IS_BOXED(spec->value_type) ||
			   G_TYPE_IS_OBJECT(spec->value_type)) {
			g_object_set(element.get(), spec->name, nullptr, nullptr);
		}
		if (spec->value_type == GST_TYPE_STRUCTURE) {
			GstStructure *odd = gst_structure_new("odd", "what", G_TYPE_STRING, "ever",
							      "n", G_TYPE_INT, -1, nullptr);
			g_object_set(element.get(), spec->name, odd, nullptr);
			gst_structure_free(odd);
		}
	});
}

/* gst-inspect and every graphical tool do so. */
TEST_F(EveryElementsProperties, CanBeReadInEveryState)
{
	for (const GstState state :
	     {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING})
		forEachProperty(
			names_,
			[](const AloneElement &element, GParamSpec *spec) {
				if (!(spec->flags & G_PARAM_READABLE))
					return;
				Value value(spec->value_type);
				g_object_get_property(G_OBJECT(element.get()), spec->name,
						      value.get());
				EXPECT_TRUE(G_VALUE_HOLDS(value.get(), spec->value_type));
			},
			state);
}

} /* namespace */
