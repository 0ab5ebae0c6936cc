/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random but legal caps, allocation queries, buffers and states against each element, in a
 * GstHarness: no critical, no object left, no hang. The same seed does the same.
 *
 * usage: gst-fuzz [ELEMENT…]
 *
 * HEAPFLOW_FUZZ_STEPS (200; the long form is 10000), HEAPFLOW_FUZZ_SEED, which is printed, and
 * HEAPFLOW_FUZZ_VERBOSE, which names each step.
 */
#include "fuzz_actions.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

using heapflow::test::FuzzSubject;
using heapflow::test::Random;

namespace
{

/* A step that takes longer hangs. */
constexpr unsigned patience = 60;

char present[256];

void hang(int)
{
	write(STDERR_FILENO, present, strlen(present));
	abort();
}

uint64_t number(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);
	return text ? strtoull(text, nullptr, 10) : otherwise;
}

GstTracer *leaksTracer()
{
	GList *tracers = gst_tracing_get_active_tracers();
	GstTracer *found = nullptr;

	for (GList *each = tracers; each; each = each->next)
		if (!strcmp(G_OBJECT_TYPE_NAME(each->data), "GstLeaksTracer"))
			found = GST_TRACER(each->data);
	g_list_free_full(tracers, gst_object_unref);
	return found;
}

/* Every GstObject and GstMiniObject that lives, as the tracer tells; "" when none does. */
std::string liveObjects(unsigned &count)
{
	GstStructure *live = nullptr;
	std::string text;

	count = 0;
	g_signal_emit_by_name(leaksTracer(), "get-live-objects", &live);
	const GValue *list = gst_structure_get_value(live, "live-objects-list");
	count = list ? gst_value_list_get_size(list) : 0;
	for (guint i = 0; i < count; i++) {
		g_autofree char *object = gst_value_serialize(gst_value_list_get_value(list, i));
		text += std::string("  ") + object + '\n';
	}
	gst_structure_free(live);
	return text;
}

void announce(const char *element, uint64_t step, uint64_t seed, const char *action)
{
	snprintf(present, sizeof(present), "not ok - %s: step %llu (%s) of seed %llu hangs\n",
		 element, static_cast<unsigned long long>(step), action,
		 static_cast<unsigned long long>(seed));
	if (getenv("HEAPFLOW_FUZZ_VERBOSE"))
		fprintf(stderr, "%s: step %llu: %s\n", element,
			static_cast<unsigned long long>(step), action);
}

bool fuzz(const char *element, uint64_t seed, uint64_t steps, unsigned testNumber)
{
	unsigned before = 0, after = 0;
	std::string accepted;
	{
		/* What an element makes once for the process is there from now on. */
		Random random(seed);
		FuzzSubject warm(element, random);
	}
	liveObjects(before);
	{
		Random random(seed);
		FuzzSubject subject(element, random);
		for (uint64_t step = 0; step < steps; step++) {
			alarm(patience);
			subject.step(
				[&](const char *action) { announce(element, step, seed, action); });
		}
		for (const auto &[name, times] : subject.done())
			accepted += ", " + std::to_string(times) + " " + name;
	}
	alarm(0);
	/* The thread of a GstTask lets go of it after it has said that it ended (gst_task_func()).
	 */
	std::string left = liveObjects(after);
	for (unsigned waited = 0; after > before && waited < 100; waited++) {
		g_usleep(10000);
		left = liveObjects(after);
	}
	const bool clean = after <= before;
	printf("%s %u - %s: %llu steps of seed %llu%s\n", clean ? "ok" : "not ok", testNumber,
	       element, static_cast<unsigned long long>(steps),
	       static_cast<unsigned long long>(seed), accepted.c_str());
	if (!clean)
		printf("%u objects before, %u after:\n%s", before, after, left.c_str());
	fflush(stdout);
	return clean;
}

} /* namespace */

int main(int argc, char **argv)
{
	const uint64_t steps = number("HEAPFLOW_FUZZ_STEPS", 200);
	const uint64_t seed = number("HEAPFLOW_FUZZ_SEED", 20261125);
	std::vector<const char *> elements = {"heapalloc", "heapkmssink", "heapcamerasrc"};
	unsigned failed = 0;

	/* G_DEBUG in the environment is read when GLib is loaded, which was before main(). */
	g_log_set_always_fatal(GLogLevelFlags(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
	setenv("GST_TRACERS", "leaks", 1);
	setenv("LIBCAMERA_LOG_LEVELS", "*:FATAL", 0);
	gst_init(&argc, &argv);
	if (!leaksTracer()) {
		printf("not ok - GStreamer has no leaks tracer\n");
		return 1;
	}
	signal(SIGALRM, hang);
	if (argc > 1)
		elements.assign(argv + 1, argv + argc);
	for (size_t i = 0; i < elements.size(); i++)
		failed += !fuzz(elements[i], seed, steps, unsigned(i + 1));
	return failed > 0;
}
