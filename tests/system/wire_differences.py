"""Answers that differ from PostgreSQL's, and the reason why each may. Nothing else may differ."""

DATA_EXCEPTION = "22"


def fields(answer):
    return dict(answer[1]) if isinstance(answer, tuple) and answer[0] in "EN" else {}


def kind(answer):
    return answer[0] if isinstance(answer, tuple) else answer


def mentions(steps, *texts):
    return any(text in step.text for step in steps for text in texts)


def copy_reads_ahead(_, theirs, ours):
    message = fields(theirs).get("M", "")
    return (kind(ours) == "E" and fields(ours).get("W", "").startswith("COPY ") and
            message.startswith(("unexpected message type", "COPY from stdin failed")))


def broken_bind(steps, theirs, ours):
    return kind(theirs) == kind(ours) == "E" and mentions(steps, "broken Bind") and (
        fields(ours)["C"] == "08P01")


def show_in_pieces(steps, theirs, ours):
    return mentions(steps, "show ", "execute ") and (
        (kind(theirs) == "s" and kind(ours) == "C") or
        (kind(theirs) == "C" and kind(ours) == "D") or
        (fields(theirs).get("M", "").startswith("unsupported format") and kind(ours) == "D"))


def second_in_pipeline(_, theirs, ours):
    return fields(theirs).get("M", "").endswith("cannot be executed within a pipeline")


def invalid_bytes(steps, theirs, ours):
    return fields(theirs).get("C") == "22021" and kind(ours) == "E" and mentions(steps, "broken ")


def empty_binary_bool(_, theirs, ours):
    return (fields(theirs).get("M") == "no data left in message" and
            fields(ours).get("M") == "insufficient data left in message")


def setting_of_failed_transaction(_, theirs, ours):
    return "S" in (kind(theirs), kind(ours))


def parameters_when_bound(steps, theirs, ours):
    return fields(theirs).get("C", "").startswith(DATA_EXCEPTION) and kind(ours) == "2" and (
        mentions(steps, "$"))


def suspended_returning(steps, theirs, ours):
    return mentions(steps, " returning ") and (
        isinstance(theirs, tuple) and theirs[1] in (b"UPDATE 0\0", b"DELETE 0\0") or
        fields(theirs).get("C") == "21000") and kind(ours) == "D"


def executed_utility(steps, _, ours):
    return mentions(steps, "execute ") and (
        fields(ours).get("M") == "EXECUTE of this statement is not supported")


def unflushed_at_the_end(steps, theirs, ours):
    return theirs == "closed" and isinstance(ours, tuple) and mentions(steps, "Terminate")


# (reason, applies(steps, PostgreSQL's answer, ours))
ALLOWED = [
    ("PostgreSQL looks at a line of COPY only once it has read the next message", copy_reads_ahead),
    ("of a Bind that is malformed and wrong besides, the first error is the protocol's",
     broken_bind),
    ("a row limit does not hold for the rows of SHOW and EXECUTE", show_in_pieces),
    ("VACUUM and DISCARD ALL run behind another statement of a pipeline", second_in_pipeline),
    ("names in messages are not held to UTF-8, and more of an invalid text is shown",
     invalid_bytes),
    ("a binary bool without bytes is too short, as any type", empty_binary_bool),
    ("PostgreSQL computes what depends on parameters alone when it binds, not when it runs",
     parameters_when_bound),
    ("a statement with RETURNING that is suspended counts as a command, so that the next one sees "
     "what it did", suspended_returning),
    ("EXECUTE runs no statement about cursors that the protocol has prepared", executed_utility),
    ("what was answered but not flushed before Terminate is sent all the same",
     unflushed_at_the_end),
    ("what a failed transaction has set is reported when it ends, not when it fails",
     setting_of_failed_transaction),
]


def allowed_reason(steps, found):
    """The reason if the first answer that differs is on the list; None otherwise."""
    _, expected, got = found
    theirs = expected[0] if expected else None
    ours = got[0] if got else None
    return next((reason for reason, applies in ALLOWED if applies(steps, theirs, ours)), None)
