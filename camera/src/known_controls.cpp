/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "known_controls.h"

#include "heapflow/camera/camera.h"

namespace heapflow
{

std::vector<ControlDescription> knownControls()
{
	std::vector<ControlDescription> list;
	for (const KnownControl &known : knownControlTable) {
		ControlDescription &control = list.emplace_back();
		control.name = known.name;
		control.vendor = known.vendor;
		control.type = known.type;
		control.array = known.array;
		control.elements = known.elements;
		control.settable = known.settable;
		control.reported = known.reported;
		control.momentary = known.momentary;
		for (const KnownChoice &choice : known.choices)
			control.choices.push_back({choice.value, choice.name});
	}
	return list;
}

} /* namespace heapflow */
