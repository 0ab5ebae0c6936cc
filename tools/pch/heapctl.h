/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What nearly every command includes, compiled once: it was most of their compile time. */
#include <algorithm>
#include <format>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
