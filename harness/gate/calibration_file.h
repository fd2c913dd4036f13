// The file in which a machine keeps its calibration: JSON, documented in docs/gate.md.
//
// Safety: control plane. Errors: 58030 for a file that cannot be read or written, 22023 with the
// file for one that is no calibration.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "harness/gate/calibration.h"

namespace connbench::gate {

// $XDG_STATE_HOME/connbench/gate-calibration.json, ~/.local/state without it.
std::string DefaultCalibrationFile();

// What a calibration holds for: the machine's name, CPUs and kernel.
std::string MachineOf();

Status WriteCalibration(const Calibration& calibration, const std::string& path);
// None: there is no such file.
Result<std::optional<Calibration>> ReadCalibration(const std::string& path);

}  // namespace connbench::gate
