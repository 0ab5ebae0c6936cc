/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report as JSON (RFC 8259). */
#include "flow_report.h"

#include <format>
#include <utility>

namespace heapflow::gst
{

namespace
{

/* Commas and quotes; what follows what is the caller's matter. */
class JsonText
{
public:
	void open(char bracket)
	{
		separate();
		text_ += bracket;
		first_ = true;
	}
	void close(char bracket)
	{
		text_ += bracket;
		first_ = false;
	}
	void key(const char *name)
	{
		separate();
		text_ += std::format("\"{}\":", name);
		first_ = true;
	}
	void number(auto value)
	{
		separate();
		text_ += std::to_string(value);
	}
	void string(const std::string &value)
	{
		separate();
		text_ += '"';
		for (const char byte : value) {
			if (byte == '"' || byte == '\\')
				text_ += std::format("\\{}", byte);
			else if (static_cast<unsigned char>(byte) < 0x20)
				text_ += std::format("\\u{:04x}", unsigned(byte));
			else
				text_ += byte;
		}
		text_ += '"';
	}
	void strings(const std::vector<std::string> &values)
	{
		open('[');
		for (const std::string &value : values)
			string(value);
		close(']');
	}
	std::string take() { return std::move(text_) + '\n'; }

private:
	void separate()
	{
		if (!std::exchange(first_, false))
			text_ += ',';
	}

	std::string text_;
	bool first_ = true;
};

void write(JsonText &json, const char *name, const ByteCount &count)
{
	json.key(name);
	json.open('{');
	json.key("count");
	json.number(count.count);
	json.key("bytes");
	json.number(count.bytes);
	json.close('}');
}

void write(JsonText &json, const char *name, const Duration &time)
{
	json.key(name);
	json.open('{');
	json.key("count");
	json.number(time.count);
	json.key("mean-ns");
	json.number(time.mean());
	json.key("max-ns");
	json.number(time.most);
	json.close('}');
}

const char *kindName(ElementKind kind)
{
	switch (kind) {
	case ElementKind::Source:
		return "source";
	case ElementKind::Sink:
		return "sink";
	default:
		return "filter";
	}
}

void write(JsonText &json, const ElementReport &element)
{
	json.open('{');
	json.key("id");
	json.number(element.id);
	json.key("name");
	json.string(element.name);
	json.key("factory");
	json.string(element.factory);
	json.key("kind");
	json.string(kindName(element.kind));
	json.key("frames-in");
	json.number(element.framesIn);
	json.key("frames-out");
	json.number(element.framesOut);
	write(json, "maps-read", element.reads);
	write(json, "maps-written", element.writes);
	write(json, "copies", element.copies);
	write(json, "copies-inside", element.inside);
	write(json, "drawn", element.drawn);
	json.key("memories");
	json.number(element.memories);
	write(json, "work", element.busy);
	write(json, "residence", element.residence);
	write(json, "age", element.age);
	json.key("held");
	json.number(element.heldNow);
	json.key("held-most");
	json.number(element.heldMost);
	json.key("reasons");
	json.strings(element.reasons);
	json.key("notes");
	json.strings(element.notes);
	json.close('}');
}

void write(JsonText &json, const LinkReport &link)
{
	json.open('{');
	json.key("from");
	json.number(link.from);
	json.key("from-pad");
	json.string(link.fromPad);
	json.key("to");
	json.number(link.to);
	json.key("to-pad");
	json.string(link.toPad);
	json.key("caps");
	json.string(link.caps);
	json.key("memory");
	json.strings(link.memory);
	write(json, "frames", link.frames);
	write(json, "copies", link.copies);
	json.close('}');
}

} /* namespace */

std::string flowJson(const FlowReport &report)
{
	JsonText json;
	json.open('{');
	json.key("pipeline");
	json.string(report.pipeline);
	json.key("duration-ns");
	json.number(report.duration);
	json.key("copies");
	json.number(report.copies());
	json.key("copied-bytes");
	json.number(report.copiedBytes());
	json.key("elements");
	json.open('[');
	for (const ElementReport &element : report.elements)
		write(json, element);
	json.close(']');
	json.key("links");
	json.open('[');
	for (const LinkReport &link : report.links)
		write(json, link);
	json.close(']');
	json.close('}');
	return json.take();
}

} /* namespace heapflow::gst */
