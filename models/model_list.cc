// The connection models there are, by name.
#include "models/model_list.h"

#include <fmt/format.h>

#include <vector>

#include "base/near_names.h"
#include "models/model.h"

namespace connbench::models {

#define CONNBENCH_MODEL(name, factory, summary, used_by) \
  std::unique_ptr<Model> factory(const ModelContext& context);
#include "models/models.def"
#undef CONNBENCH_MODEL

namespace {

constexpr ModelDescription kModels[] = {
#define CONNBENCH_MODEL(name, factory, summary, used_by) {name, summary, used_by, factory},
#include "models/models.def"
#undef CONNBENCH_MODEL
};

}  // namespace

std::span<const ModelDescription> AllModels() { return kModels; }

Result<const ModelDescription*> FindModel(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ModelDescription& model : kModels) {
    if (model.name == name) return &model;
    names.push_back(model.name);
  }
  return Status::Error(sqlstate::kUndefinedObject, fmt::format("there is no model \"{}\"", name))
      .WithHint(SuggestNames(name, names));
}

}  // namespace connbench::models
