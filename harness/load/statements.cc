// Puts statements together and sends them.
#include "harness/load/statements.h"

#include "base/clock.h"
#include "harness/load/worker_parts.h"

namespace connbench::load {

using protocol::ClientSession;

Statements::Statements(WorkerParts& parts) : parts_(parts), state_(parts.state) {}

void Statements::Send(Client& client, MonotonicNs now) {
  const Capture capture = client.runner.command().capture;
  if (capture != Capture::kNone) {
    if (client.capture == nullptr) client.capture = std::make_unique<RowCapture>();
    client.capture->Begin(capture);
  }
  client.connection.session().set_sink(capture != Capture::kNone ? client.capture.get() : nullptr);
  Say(client);
  Transmit(client, now);
}

void Statements::Queue(Client& client) {
  ClientSession& session = client.connection.session();
  if (!session.in_pipeline()) {
    session.set_sink(nullptr);
    session.BeginPipeline();
  }
  Say(client);
}

void Statements::Sync(Client& client, MonotonicNs now) {
  ClientSession& session = client.connection.session();
  if (!session.in_pipeline()) session.BeginPipeline();  // one without statements
  session.EndPipeline();
  Transmit(client, now);
}

void Statements::RollBack(Client& client, MonotonicNs now) {
  ClientSession& session = client.connection.session();
  client.state = Client::State::kRollingBack;
  client.deadline = now + state_.settings.statement_timeout_ns;
  if (session.in_pipeline()) {
    session.EndPipeline();
  } else {
    client.rolling_back = true;
    session.set_sink(nullptr);
    session.Query("ROLLBACK");
  }
  parts_.Handle(client, client.connection.Flush());
}

// The command at which the script stands, in the protocol's mode.
void Statements::Say(Client& client) {
  const ScriptCommand& command = client.runner.command();
  ClientSession& session = client.connection.session();
  if (state_.settings.protocol == ProtocolMode::kSimple) {
    sql_.clear();
    client.runner.AppendSql(sql_);
    session.Query(sql_);
    return;
  }
  // Text first, pointers into it after it has stopped growing.
  parameter_text_.clear();
  parameter_places_.clear();
  for (size_t i = 0; i < command.variables.size(); ++i) {
    const size_t begin = parameter_text_.size();
    const bool is_set = client.runner.AppendParameter(i, parameter_text_);
    parameter_places_.emplace_back(
        begin, is_set ? static_cast<int32_t>(parameter_text_.size() - begin) : -1);
  }
  parameters_.clear();
  for (const auto& [begin, length] : parameter_places_) {
    parameters_.push_back({length < 0 ? nullptr : parameter_text_.data() + begin, length});
  }
  if (state_.settings.protocol == ProtocolMode::kExtended) {
    session.QueryExtended(command.parameterised, parameters_);
  } else {
    session.QueryPrepared(command.statement, command.parameterised, parameters_);
  }
}

void Statements::Transmit(Client& client, MonotonicNs now) {
  client.state = Client::State::kRunning;
  client.deadline = now + state_.settings.statement_timeout_ns;
  if (client.unsent) parts_.arrivals.StampSent(client);
  // A first statement is stamped when it is sent.
  if (collecting_ && client.first_query_sent &&
      batch_->Add(client.connection.fd(), client.connection.unsent(), client.place)) {
    return;
  }
  const Connection::Event event = client.connection.Flush();
  if (!client.first_query_sent) {
    client.first_query_sent = true;
    client.connection.phases().first_query_ns = MonotonicNow();
  }
  parts_.Handle(client, event);
}

void Statements::SendCollected() {
  collecting_ = false;
  for (const SendBatch::Sent& sent : batch_->Submit()) {
    Client& client = *state_.clients[sent.tag];
    parts_.Handle(client, client.connection.Sent(sent.result));
  }
}

}  // namespace connbench::load
