/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What nearly every test includes, compiled once for each program: it is half of their compile
 * time. */
#include <algorithm>
#include <chrono>
#include <format>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
