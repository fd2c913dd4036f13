// Plans windows: sorts, one WindowAgg for each window, and expressions over its rows.

#include <algorithm>
#include <iterator>
#include <tuple>

#include "engine/executor/nodes/result_nodes.h"
#include "engine/executor/nodes/sort_node.h"
#include "engine/sql/planner.h"

namespace connbench::engine {

const Planner::WindowKey* Planner::FindKey(std::span<const WindowKey> keys,
                                           const Expression& expression) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&expression](const WindowKey& key) {
    return SameExpression(*key.expression, expression);
  });
  return found == keys.end() ? nullptr : &*found;
}

Status Planner::VisitWindowExpressions(Query& query, const ExpressionVisitor& visit) {
  for (Window& window : query.windows) {
    for (std::vector<WindowKey>* keys : {&window.partition, &window.order}) {
      for (WindowKey& key : *keys) CONNBENCH_RETURN_IF_ERROR(visit(key.expression));
    }
  }
  for (WindowCall& call : query.analyzer->window_calls()) {
    for (Expression*& argument : call.arguments()) CONNBENCH_RETURN_IF_ERROR(visit(argument));
    if (call.aggregate.filter == nullptr) continue;
    CONNBENCH_RETURN_IF_ERROR(visit(call.aggregate.filter));
  }
  return {};
}

void Planner::CollectWindowColumns(Query& query, std::vector<bool>& used) {
  if (query.windows.empty()) return;
  static_cast<void>(VisitWindowExpressions(query, [&used](Expression*& expression) -> Status {
    CollectColumns(*expression, used);
    return {};
  }));
}

std::vector<Planner::WindowKey> Planner::WindowSortKeys(const Window& window) {
  std::vector<WindowKey> keys = window.partition;
  std::copy_if(
      window.order.begin(), window.order.end(), std::back_inserter(keys),
      [&](const WindowKey& key) { return FindKey(window.partition, *key.expression) == nullptr; });
  return keys;
}

// As PostgreSQL: windows with the same order stand side by side, and one whose order begins with
// another's comes before it, so that one sort serves both. What was ordered by last comes first.
std::vector<size_t> Planner::ActiveWindows(Query& query) {
  std::vector<const Expression*> known;
  const auto number = [&known](const Expression& expression) {
    const auto at = std::find_if(known.begin(), known.end(), [&](const Expression* each) {
      return SameExpression(*each, expression);
    });
    const auto place = static_cast<size_t>(at - known.begin());
    if (at == known.end()) known.push_back(&expression);
    return place;
  };
  for (const OrderItem& item : query.order) number(*query.targets[item.target].expression);
  for (const Window& window : query.windows) {
    for (const WindowKey& key : window.order) number(*key.expression);
    for (const WindowKey& key : window.partition) number(*key.expression);
  }
  std::vector<size_t> active;
  std::vector<std::vector<std::tuple<size_t, bool, bool>>> keys;
  for (size_t i = 0; i < query.windows.size(); ++i) {
    auto& own = keys.emplace_back();
    for (const WindowKey& key : WindowSortKeys(query.windows[i])) {
      own.emplace_back(number(*key.expression), key.descending, !key.nulls_first);
    }
    const auto calls = query.analyzer->window_calls();
    const bool is_active = std::any_of(calls.begin(), calls.end(),
                                       [i](const WindowCall& call) { return call.window == i; });
    if (is_active) active.push_back(i);
  }
  std::stable_sort(active.begin(), active.end(),
                   [&keys](size_t a, size_t b) { return keys[a] > keys[b]; });
  return active;
}

std::vector<Planner::WindowKey> Planner::FirstWindowOrder(Query& query) {
  const std::vector<size_t> active = ActiveWindows(query);
  return active.empty() ? std::vector<WindowKey>() : WindowSortKeys(query.windows[active[0]]);
}

std::vector<Expression*> Planner::WindowInputs(Query& query) {
  std::vector<Expression*> inputs;
  const auto find = [&inputs](const Expression& expression) {
    return std::find_if(inputs.begin(), inputs.end(),
                        [&](const Expression* each) { return SameExpression(*each, expression); });
  };
  for (const Window& window : query.windows) {
    for (const std::vector<WindowKey>* keys : {&window.partition, &window.order}) {
      for (const WindowKey& key : *keys) {
        if (find(*key.expression) == inputs.end()) inputs.push_back(key.expression);
      }
    }
  }
  const std::function<void(Expression*)> collect = [&](Expression* expression) {
    if (IsOfEveryRow(*expression) || find(*expression) != inputs.end()) return;
    if (expression->kind == ExpressionKind::kColumn) {
      if (expression->index < ExpressionAnalyzer::kFirstWindowColumn) inputs.push_back(expression);
      return;
    }
    for (Expression* argument : expression->args()) collect(argument);
  };
  for (const Target& target : query.targets) collect(target.expression);
  static_cast<void>(VisitWindowExpressions(query, [&](Expression*& expression) -> Status {
    collect(expression);
    return {};
  }));
  return inputs;
}

Result<Expression*> Planner::ReferToWindowRow(Expression* expression,
                                              const std::vector<Expression*>& inputs,
                                              const std::vector<int>& places) {
  if (IsOfEveryRow(*expression)) return expression;
  const auto input = std::find_if(inputs.begin(), inputs.end(), [expression](const auto* each) {
    return SameExpression(*each, *expression);
  });
  if (input != inputs.end()) {
    return builder_.Column(static_cast<int>(input - inputs.begin()), expression->type,
                           expression->location);
  }
  if (expression->kind == ExpressionKind::kColumn) {
    const int call = expression->index - ExpressionAnalyzer::kFirstWindowColumn;
    return builder_.Column(static_cast<int>(inputs.size()) + places[static_cast<size_t>(call)],
                           expression->type, expression->location);
  }
  return RewriteArguments(*expression, [&](Expression* argument, size_t) {
    return ReferToWindowRow(argument, inputs, places);
  });
}

bool Planner::BeginsWith(std::span<const WindowKey> keys, std::span<const WindowKey> first) {
  return keys.size() >= first.size() &&
         std::equal(first.begin(), first.end(), keys.begin(),
                    [](const WindowKey& a, const WindowKey& b) {
                      return SameExpression(*a.expression, *b.expression) &&
                             a.descending == b.descending && a.nulls_first == b.nulls_first;
                    });
}

std::vector<SortKey> Planner::KeysIn(const std::vector<Expression*>& inputs,
                                     std::span<const WindowKey> keys) {
  std::vector<SortKey> columns;
  for (const WindowKey& key : keys) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&key](const auto* each) {
      return SameExpression(*each, *key.expression);
    });
    columns.push_back({static_cast<int>(input - inputs.begin()), key.expression->type.oid,
                       key.descending, key.nulls_first});
  }
  return columns;
}

Result<PlanNodePtr> Planner::PlanWindows(PlanNodePtr node, Query& query) {
  const std::vector<size_t> active = ActiveWindows(query);
  const std::vector<Expression*> inputs = WindowInputs(query);
  std::vector<WindowKey> wanted;  // by ORDER BY
  for (const OrderItem& item : query.order) {
    wanted.push_back({query.targets[item.target].expression, item.descending, item.nulls_first});
  }
  std::vector<WindowKey> order;  // of the rows
  if (query.scan_ordered) order = FirstWindowOrder(query);
  if (query.scan_ordered && order.empty()) order = wanted;
  std::vector<const Expression*> projection(inputs.begin(), inputs.end());
  std::vector<Type> types = TypesOf(projection);
  node = std::make_unique<ProjectNode>(std::move(node), std::move(projection));
  const auto calls = query.analyzer->window_calls();
  std::vector<int> places(calls.size());
  int results = 0;
  for (const size_t number : active) {
    const Window& window = query.windows[number];
    const std::vector<WindowKey> keys = WindowSortKeys(window);
    if (!BeginsWith(order, keys)) {
      order = keys;
      node = std::make_unique<SortNode>(std::move(node), types, KeysIn(inputs, keys), 0);
    }
    WindowDescription description{KeysIn(inputs, window.partition), KeysIn(inputs, window.order),
                                  window.frame};
    std::vector<WindowCall> own;
    std::vector<Type> result_types;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].window != number) continue;
      places[i] = results++;
      for (Expression*& argument : calls[i].arguments()) {
        CONNBENCH_ASSIGN_OR_RETURN(argument, ReferToWindowRow(argument, inputs, places));
      }
      Expression*& filter = calls[i].aggregate.filter;
      if (filter != nullptr) {
        CONNBENCH_ASSIGN_OR_RETURN(filter, ReferToWindowRow(filter, inputs, places));
      }
      own.push_back(calls[i]);
      result_types.push_back(calls[i].type);
    }
    node = std::make_unique<WindowAggNode>(std::move(node), types, std::move(description),
                                           std::move(own));
    types.insert(types.end(), result_types.begin(), result_types.end());
  }
  query.ordered = !query.distinct && !wanted.empty() && BeginsWith(order, wanted);
  for (Target& target : query.targets) {
    CONNBENCH_ASSIGN_OR_RETURN(target.expression,
                               ReferToWindowRow(target.expression, inputs, places));
  }
  return node;
}

}  // namespace connbench::engine
