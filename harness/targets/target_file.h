// A target described in TOML: a server or a pooler that connbench has no code for. docs/targets.md
// has every key; workloads/targets/*.toml are those that come with connbench.
//
// Texts may hold placeholders: {folder}, {host}, {port}, {clients}, for a target in front of a
// server also {server_host}, {server_port}, {server_user}, and each of the file's own settings.
//
// Safety: plain values; control plane. Errors: 42601 as "FILE:LINE:COLUMN: what is wrong" with near
// names, 58030 if the file cannot be read.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace connbench::targets {

// Of TargetFile::ready.
inline constexpr std::string_view kLogPrefix = "log:";

struct TargetFile {
  std::string name;  // of the file, without .toml
  std::string description;
  std::vector<std::string> needs;                 // Debian packages
  bool in_front = false;                          // of another server: it is named as NAME+SERVER
  std::vector<std::string> command;               // stays in the foreground
  std::vector<std::vector<std::string>> prepare;  // commands that run before it, in the folder
  std::vector<std::pair<std::string, std::string>> files;     // in the folder: name and text
  std::vector<std::pair<std::string, std::string>> settings;  // names and defaults
  int port = 0;                                               // 0: any free one
  std::string ready = "answers";                              // answers, accepts, or log:TEXT
  int start_timeout_s = 20;
  int stop_timeout_s = 20;
  std::string stop_signal = "TERM";
  std::vector<int> clean_exits = {0};
  std::string pid_file;            // of a root of processes besides the command; empty: none
  std::vector<std::string> lacks;  // simple, extended, prepared, crash
  std::string user = "postgres";
  std::string database;
  std::string tables = "keep";  // fresh, keep, none; in front of a server: as that one
};

Result<TargetFile> ParseTargetFile(std::string_view text, const std::string& path);
Result<TargetFile> LoadTargetFile(const std::string& path);

// "TERM" -> SIGTERM; 0 if there is no such signal.
int SignalByName(std::string_view name);

// The folder of those that come with connbench.
std::string TargetFolder();
std::vector<std::string> TargetFileNames();

// Text with its placeholders filled in; 42601 with near names for one that there is not.
Result<std::string> FillIn(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace connbench::targets
