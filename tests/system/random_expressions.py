"""Random SQL expressions over the types that connbench has. What they mean, PostgreSQL says."""

NUMBERS = ["0", "1", "7", "-3", "42", "2147483647", "9223372036854775807", "1.5", "0.1", "-2.25",
           "1e10", "123456789.987654321", "0.000001", "100.00"]
NUMBER_TYPES = ["int2", "int4", "int8", "float4", "float8", "numeric", "numeric(10,2)",
                "numeric(5,3)", "oid"]
TEXTS = ["", "a", "abc", "Hello World", "  pad  ", "12", "-1.5", "true", "äöü€", "a''b", "x\\y",
         "%b_", "2024-02-29 12:00:00", "NaN", "aaaaaaaaaaaa"]
TEXT_TYPES = ["text", "varchar", "varchar(3)", "char(5)", "bpchar", "name", '"char"']
TIMES = ["2024-02-29 12:34:56.789", "1999-12-31 23:59:59", "2000-01-01", "infinity", "-infinity",
         "2024-06-30 01:00:00+02", "0044-03-15 BC", "1970-01-01 00:00:00.000001",
         "2024-07-01 12:00 PST"]
TIME_TYPES = ["timestamp", "timestamptz", "date", "timestamp(0)", "timestamptz(3)"]
CLOCKS = ["04:05:06.789", "00:00", "24:00:00", "12:30 PM", "040506", "23:59:59.9999995",
          "2024-02-29 12:34:56", "1:02"]
INTERVALS = ["1 day", "1 year 2 mons 3 days 04:05:06.789", "-1 mon +2 days", "@ 3 hours 2 mins ago",
             "P1Y2M3DT4H5M6S", "1-2", "00:00:00", "1.5 weeks", "-25:00:00", "3.7 months", "40 days",
             "100 years", "1 microsecond", "1.5 days 3 hours", "10", "1 2:03",
             "P0001-02-03T04:05:06"]
INTERVAL_TYPES = ["interval", "interval(3)", "interval day to second", "interval year to month",
                  "interval hour", "interval day", "interval minute to second(1)"]
JSONS = ['{"a": 1, "b": [1, 2, {"c": "x"}]}', '[1,2.50,"t",null]', '"text\\u00e4"', "null",
         "-1.5e3", '{"a": {"b": {"c": true}}}', "[]", "{ }", '{"a":1,"a":2}', "[[1],[2,[3]]]",
         "true"]
PATHS = ["{a}", "{b,2,c}", "{b,2}", "{a,b,c}", "{1,0}", "{1}", "{}"]
STEPS = ["0", "1", "-1", "'a'", "'b'", "'0'"]
FACTORS = ["2", "-1", "0.5", "1.3", "3", "0.1", "1e3", "-0.25"]
ZONES = ["UTC", "Europe/Berlin", "+02", "-05:30", "PST", "CET", "foo3", "EST5EDT"]
FIELDS = ["epoch", "year", "month", "day", "hour", "second", "dow", "doy", "week", "milliseconds"]


class Expressions:
    """A source of expressions: number(), text(), boolean(), time(), interval(), clock(), any()."""

    def __init__(self, random, depth=3):
        self.random = random
        self.depth = depth

    def pick(self, items):
        return self.random.choice(items)

    def any(self, depth=None):
        depth = self.depth if depth is None else depth
        return self.pick([self.number, self.text, self.boolean, self.time, self.interval,
                          self.clock])(depth)

    def _common(self, kind, depth):
        """Constructs that take and give one category."""
        d = depth - 1
        shape = self.random.randrange(6)
        if shape == 0:
            return f"coalesce({kind(d)}, {kind(d)})"
        if shape == 1:
            return f"case when {self.boolean(d)} then {kind(d)} else {kind(d)} end"
        if shape == 2:
            return f"nullif({kind(d)}, {kind(d)})"
        if shape == 3:
            return f"greatest({kind(d)}, {kind(d)}, {kind(d)})"
        if shape == 4:
            return f"least({kind(d)}, {kind(d)})"
        return f"case {kind(d)} when {kind(d)} then {kind(d)} end"

    def number(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.15:
            number = self.pick(NUMBERS)
            if self.random.random() < 0.5:
                return number if not number.startswith("-") else f"({number})"
            return f"'{number}'::{self.pick(NUMBER_TYPES)}"
        d = depth - 1
        shape = self.random.randrange(12)
        if shape < 4:
            return (f"({self.number(d)} "
                    f"{self.pick(['+', '-', '*', '/', '%', '^', '&', '|', '#'])} "
                    f"{self.number(d)})")
        if shape == 4:
            return f"({self.pick(['-', '+', '@', '|/'])} {self.number(d)})"
        if shape == 5:
            function = self.pick(["abs", "sqrt", "exp", "ln", "log", "round", "trunc", "ceil",
                                  "floor", "sign", "cbrt", "scale", "trim_scale", "log10"])
            return f"{function}({self.number(d)})"
        if shape == 6:
            function = self.pick(["power", "mod", "div", "gcd", "log"])
            return f"{function}({self.number(d)}, {self.number(d)})"
        if shape == 7:
            return (f"{self.pick(['round', 'trunc'])}({self.number(d)}::numeric, "
                    f"{self.random.randrange(-3, 6)})")
        if shape == 8:
            return f"{self.pick(['length', 'octet_length', 'ascii'])}({self.text(d)})"
        if shape == 9:
            kind = self.pick([self.time, self.time, self.interval, self.clock])
            return self.pick([f"extract({self.pick(FIELDS)} from {kind(d)})",
                              f"date_part('{self.pick(FIELDS)}', {kind(d)})"])
        if shape == 10:
            return f"({self.number(d)})::{self.pick(NUMBER_TYPES)}"
        return self._common(self.number, depth)

    def text(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.15:
            text = self.pick(TEXTS)
            return f"'{text}'" + \
                (f"::{self.pick(TEXT_TYPES)}" if self.random.random() < 0.7 else "")
        d = depth - 1
        shape = self.random.randrange(12)
        if shape == 11:
            return self.pick([f"({self.json(d)} ->> {self.pick(STEPS)})",
                              f"({self.json(d)} #>> '{self.pick(PATHS)}')",
                              f"json_typeof({self.json(d)})", f"({self.json(d)})::text"])
        if shape == 0:
            return f"({self.text(d)} || {self.pick([self.text, self.number, self.boolean])(d)})"
        if shape == 1:
            function = self.pick(["upper", "lower", "initcap", "reverse",
                                 "md5", "btrim", "ltrim", "rtrim"])
            return f"{function}({self.text(d)})"
        if shape == 2:
            return (f"substring({self.text(d)} from {self.random.randrange(-1, 5)} "
                    f"for {self.random.randrange(0, 5)})")
        if shape == 3:
            return (f"{self.pick(['left', 'right', 'repeat', 'lpad'])}({self.text(d)}, "
                    f"{self.random.randrange(-2, 9)})")
        if shape == 4:
            return f"replace({self.text(d)}, {self.text(0)}, {self.text(0)})"
        if shape == 5:
            return f"concat({self.any(d)}, {self.any(d)}, null)"
        if shape == 6:
            return f"({self.any(d)})::{self.pick(TEXT_TYPES)}"
        if shape == 7:
            return f"split_part({self.text(d)}, {self.text(0)}, {self.pick([1, 2, -1])})"
        if shape == 8:
            return self.pick(["current_user", "current_schema",
                             "session_user", "current_catalog", "user"])
        if shape == 9:
            return f"trim(both from {self.text(d)})"
        return self._common(self.text, depth)

    def boolean(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.1:
            return self.pick(["true", "false", "null::bool", "'yes'::bool", "'0'::bool"])
        d = depth - 1
        shape = self.random.randrange(10)
        kind = self.pick([self.number, self.text, self.boolean, self.time, self.interval,
                          self.clock])
        if shape < 3:
            return f"({kind(d)} {self.pick(['=', '<>', '<', '<=', '>', '>='])} {kind(d)})"
        if shape == 3:
            return f"({self.boolean(d)} {self.pick(['and', 'or'])} {self.boolean(d)})"
        if shape == 4:
            return f"(not {self.boolean(d)})"
        if shape == 5:
            return f"({kind(d)} is {self.pick(['', 'not '])}null)"
        if shape == 6:
            return f"({kind(d)} {self.pick(['', 'not '])}in ({kind(d)}, {kind(d)}))"
        if shape == 7:
            return f"({kind(d)} {self.pick(['', 'not '])}between {kind(d)} and {kind(d)})"
        if shape == 8:
            return f"({kind(d)} is {self.pick(['', 'not '])}distinct from {kind(d)})"
        test = self.pick(["true", "not true", "false", "unknown", "not unknown"])
        return self.pick([f"({self.boolean(d)} is {test})",
                          f"({self.text(d)} {self.pick(['like', 'not like', 'ilike'])} "
                          f"'{self.pick(TEXTS[:8] + ['%b_', 'a%', '_'])}')"])

    def time(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.2:
            return f"'{self.pick(TIMES)}'::{self.pick(TIME_TYPES)}"
        d = depth - 1
        shape = self.random.randrange(7)
        if shape == 5:
            return f"({self.time(d)} {self.pick('+-')} {self.interval(d)})"
        if shape == 6:
            return f"('{self.pick(TIMES)}'::date + {self.clock(d)})"
        if shape == 0:
            unit = self.pick(["year", "month", "day", "hour",
                             "minute", "week", "quarter", "century"])
            return f"date_trunc('{unit}', {self.time(d)})"
        if shape == 1:
            return f"({self.time(d)} at time zone '{self.pick(ZONES)}')"
        if shape == 2:
            return f"({self.time(d)})::{self.pick(TIME_TYPES)}"
        if shape == 3:
            return f"to_timestamp({self.number(d)})"
        return self._common(self.time, depth)

    def interval(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.2:
            return f"'{self.pick(INTERVALS)}'::{self.pick(INTERVAL_TYPES)}"
        d = depth - 1
        shape = self.random.randrange(9)
        if shape == 0:
            return f"({self.interval(d)} {self.pick('+-')} {self.interval(d)})"
        if shape == 1:
            return f"({self.interval(d)} {self.pick('*/')} {self.pick(FACTORS)})"
        if shape == 2:
            return f"(- {self.interval(d)})"
        if shape == 3:
            return f"({self.time(d)} - {self.time(d)})"
        if shape == 4:
            return f"age({self.time(d)}, {self.time(d)})"
        if shape == 5:
            function = self.pick(["justify_days", "justify_hours", "justify_interval"])
            return f"{function}({self.interval(d)})"
        if shape == 6:
            unit = self.pick(["year", "month", "day", "hour", "minute", "second", "quarter",
                              "decade", "week", "millennium"])
            return f"date_trunc('{unit}', {self.interval(d)})"
        if shape == 7:
            return f"({self.pick([self.interval, self.clock])(d)})::{self.pick(INTERVAL_TYPES)}"
        return self._common(self.interval, depth)

    def clock(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.3:
            return f"'{self.pick(CLOCKS)}'::{self.pick(['time', 'time(0)', 'time(3)'])}"
        d = depth - 1
        shape = self.random.randrange(4)
        if shape == 0:
            return f"({self.clock(d)} {self.pick('+-')} {self.interval(d)})"
        if shape == 1:
            return f"({self.pick([self.time, self.interval])(d)})::time"
        if shape == 2:
            return f"({self.clock(d)} - {self.clock(d)})::time"
        return self._common(self.clock, depth)

    def json(self, depth=None):
        depth = self.depth if depth is None else depth
        if depth <= 0 or self.random.random() < 0.3:
            return f"'{self.pick(JSONS)}'::json"
        d = depth - 1
        shape = self.random.randrange(5)
        if shape == 0:
            return f"({self.json(d)} -> {self.pick(STEPS)})"
        if shape == 1:
            return f"({self.json(d)} #> '{self.pick(PATHS)}')"
        if shape == 2:
            return f"to_json({self.any(d)})"
        if shape == 3:
            return f"json_build_array({self.any(d)}, {self.json(d)}, {self.any(d)})"
        return f"json_build_object({self.any(d)}, {self.any(d)}, {self.text(d)}, {self.json(d)})"
