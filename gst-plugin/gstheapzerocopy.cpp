/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstheapzerocopy.h"

#include "gstheapcopynotice.h"
#include "gstheapi18n.h"

#include <atomic>
#include <format>
#include <mutex>
#include <set>
#include <vector>

namespace heapflow::gst
{

namespace
{

constexpr const char *propertyName = "require-zero-copy";

std::string nameOf(GstElement *element)
{
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(element));
	GstElementFactory *factory = gst_element_get_factory(element);
	return std::format("{} ({})", name ? name : _("an element"),
			   factory ? GST_OBJECT_NAME(factory) : G_OBJECT_TYPE_NAME(element));
}

/* A source makes its frames somehow; what it makes of nothing was not copied. */
bool breaks(const Touch &touch)
{
	return touch.kind != ElementKind::Source || touch.what != Touch::What::Write ||
	       touch.inPlace;
}

/* The most telling of what happened to a frame. */
int weight(const Touch &touch)
{
	return touch.what == Touch::What::Copy ? 2 : touch.what == Touch::What::Write ? 1 : 0;
}

/* True the first time for an element; numbers are never given twice. */
bool announcedNow(ElementId element)
{
	static std::mutex mutex;
	static auto *announced = new std::set<ElementId>;
	std::lock_guard lock(mutex);
	return announced->insert(element).second;
}

std::string wayOut(GstElement *element)
{
	GstElementFactory *factory = gst_element_get_factory(element);
	if (factory && g_str_equal(GST_OBJECT_NAME(factory), "heapalloc"))
		return "heapalloc copies what comes in other memory (mode=copy): let the element "
		       "before it use the pool that it offers, as V4L2's do with "
		       "io-mode=dmabuf-import; mode=pass sends such frames on as they are.";
	return std::format(
		"Remove {0}, or let the elements around it agree on one format so that it passes "
		"frames on untouched; take an element that works on dma-bufs by hardware "
		"(v4l2convert, glcolorconvert); or give it a branch of its own that ends in no "
		"screen, behind a tee. GST_TRACERS='heapflow(svg=flow.svg)' draws where the bytes "
		"go; require-zero-copy=false lets them.",
		nameOf(element));
}

} /* namespace */

std::string touchText(const ElementTouch &one)
{
	const Touch &touch = one.touch;
	const std::string size = byteText(double(touch.bytes));
	const std::string name = one.element ? nameOf(one.element) : _("an element");
	switch (touch.what) {
	case Touch::What::Copy:
		return formatted(_("%s copies frames by CPU, %s each, from %s into %s"),
				 name.c_str(), size.c_str(), touch.memory.c_str(),
				 touch.into.c_str());
	case Touch::What::Write:
		return touch.inPlace
			       ? formatted(_("%s changes frames in %s by CPU: it maps %s to write"),
					   name.c_str(), touch.memory.c_str(), size.c_str())
			       : formatted(_("%s writes its frames by CPU: it maps %s of %s"),
					   name.c_str(), size.c_str(), touch.memory.c_str());
	case Touch::What::Read:
		break;
	}
	return formatted(_("%s maps frames in %s to read them by CPU, %s each"), name.c_str(),
			 touch.memory.c_str(), size.c_str());
}

class ZeroCopyContract::Watcher final : public TouchListener
{
public:
	Watcher(GstElement *owner, ContractScope scope) : scope_(scope)
	{
		g_weak_ref_init(&owner_, owner);
	}
	~Watcher() override { g_weak_ref_clear(&owner_); }

	Watcher(const Watcher &) = delete;
	Watcher &operator=(const Watcher &) = delete;

	void touched(std::span<const ElementTouch> touches) override;

	std::atomic<bool> required = false;
	std::atomic<bool> broken = false;

private:
	void refuse(GstElement *owner, const ElementTouch &touch);
	static void announce(GstElement *owner, const ElementTouch &touch);

	GWeakRef owner_;
	const ContractScope scope_;
};

ZeroCopyContract::ZeroCopyContract(GstElement *owner, ContractScope scope)
	: watcher_(std::make_shared<Watcher>(owner, scope))
{
	FrameWatch::instance().addListener(watcher_);
}

ZeroCopyContract::~ZeroCopyContract()
{
	FrameWatch::instance().removeListener(watcher_.get());
	require(false);
}

void ZeroCopyContract::require(bool required)
{
	if (watcher_->required.exchange(required) == required)
		return;
	if (required)
		FrameWatch::instance().start(nullptr);
	else
		FrameWatch::instance().stop();
}

bool ZeroCopyContract::isRequired() const
{
	return watcher_->required;
}

bool ZeroCopyContract::isBroken() const
{
	return watcher_->broken;
}

void ZeroCopyContract::restart()
{
	watcher_->broken = false;
}

void ZeroCopyContract::Watcher::touched(std::span<const ElementTouch> touches)
{
	if (broken)
		return;
	auto *owner = static_cast<GstElement *>(g_weak_ref_get(&owner_));
	if (!owner)
		return;
	const ElementTouch *worst = nullptr;
	for (const ElementTouch &one : touches) {
		const bool copy = one.touch.what == Touch::What::Copy;
		if (!one.element || !breaks(one.touch) || (!required && !copy) ||
		    !isOnTheWay(one.element, owner, scope_))
			continue;
		if (!required)
			announce(owner, one);
		else if (!worst || weight(one.touch) > weight(worst->touch))
			worst = &one;
	}
	if (worst)
		refuse(owner, *worst);
	gst_object_unref(owner);
}

void ZeroCopyContract::Watcher::refuse(GstElement *owner, const ElementTouch &touch)
{
	if (broken.exchange(true))
		return;
	const std::string text = touchText(touch);
	GST_ELEMENT_ERROR(
		owner, STREAM, FORMAT,
		(_("%s. Between camera and screen that is refused: require-zero-copy is set."),
		 text.c_str()),
		("%s", wayOut(touch.element).c_str()));
}

void ZeroCopyContract::Watcher::announce(GstElement *owner, const ElementTouch &touch)
{
	/* What an element of ours copies it says itself. */
	if (g_object_class_find_property(G_OBJECT_GET_CLASS(touch.element), propertyName) ||
	    !announcedNow(touch.touch.element))
		return;
	g_autofree char *name = gst_object_get_name(GST_OBJECT_CAST(touch.element));
	announceCopy(owner, {.reason = touchText(touch),
			     .hint = wayOut(touch.element),
			     .element = name,
			     .bytes = touch.touch.bytes});
}

void installRequireZeroCopy(GObjectClass *object, guint id)
{
	g_object_class_install_property(
		object, id,
		g_param_spec_boolean(
			propertyName, "Require zero-copy",
			"Make it an error when the CPU maps or copies a frame anywhere between "
			"camera and screen; to be set before any pipeline of the process plays",
			FALSE,
			GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
				    GST_PARAM_MUTABLE_READY)));
}

} /* namespace heapflow::gst */
