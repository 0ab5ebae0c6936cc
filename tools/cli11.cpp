/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CLI11's functions, compiled here once. With CLI11_COMPILE its headers only declare them (CLI11's
 * README, "CLI11_PRECOMPILED"); as inline functions they were half of what each command took to
 * compile.
 */
#include <CLI/CLI.hpp>

#include <CLI/impl/App_inl.hpp>
#include <CLI/impl/Argv_inl.hpp>
#include <CLI/impl/Config_inl.hpp>
#include <CLI/impl/Encoding_inl.hpp>
#include <CLI/impl/Formatter_inl.hpp>
#include <CLI/impl/Option_inl.hpp>
#include <CLI/impl/Split_inl.hpp>
#include <CLI/impl/StringTools_inl.hpp>
#include <CLI/impl/Validators_inl.hpp>
