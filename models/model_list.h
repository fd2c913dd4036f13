// The connection models there are, by name; made from models/models.def.
//
// Safety: constants; any thread of any process.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"

namespace connbench::models {

class Model;
struct ModelContext;

struct ModelDescription {
  std::string_view name;
  std::string_view summary;
  std::string_view used_by;
  std::unique_ptr<Model> (*make)(const ModelContext& context);
};

std::span<const ModelDescription> AllModels();

// 42704 with near names when there is no such model.
Result<const ModelDescription*> FindModel(std::string_view name);

}  // namespace connbench::models
