/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What nearly every file of the libraries includes, compiled once for each library: it is half of
 * their compile time. Every file includes what it uses all the same; a build with -Db_pch=false,
 * as board/test --sanitize makes, finds the ones that do not.
 */
#include <algorithm>
#include <expected>
#include <filesystem>
#include <format>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>
