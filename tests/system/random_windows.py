"""Random queries with window functions over small tables full of nulls and duplicates."""
from random_joins import COLUMNS, NUMBERS, Joins

# Their results do not depend on the order of rows that are equal in the window's order.
RANKS = ("rank()", "dense_rank()", "percent_rank()", "cume_dist()")
EXCLUSIONS = ("", "", " exclude no others", " exclude current row", " exclude group",
              " exclude ties")


class Windows(Joins):
    """Query by query. What a query says of names is nearly always right."""

    def query(self):
        """The text, and the values of its parameters."""
        self.aliases = []
        self.parameters = []
        relations = self.random.choice((1, 1, 1, 2))
        rest = f" from {self._tree(relations)[0]}"
        if self.random.random() < 0.3:
            rest += f" where {self._condition(self.aliases, 1)}"
        elif self.random.random() < 0.02:
            rest += " where row_number() over () = 1"
        style = self.random.randrange(8)
        if style == 0:
            return self._grouped(rest), self.parameters
        if style == 1:
            return self._nested(rest), self.parameters
        return self._plain(rest), self.parameters

    def _pick(self, *choices):
        return self.random.choice(choices)

    def _number(self):
        return self._column(self.aliases, NUMBERS)

    def _direction(self):
        return self._pick("", "", " desc", " nulls first", " desc nulls last")

    # ---- windows ----

    def _total(self, keys=None):
        """An order in which only equal rows are equal."""
        keys = keys or [f"{alias}.{column}" for alias in self.aliases for column in COLUMNS]
        keys = self.random.sample(keys, len(keys))
        return ", ".join(key + self._direction() for key in keys)

    def _offset(self):
        chance = self.random.random()
        if chance < 0.02:
            return self._pick("null", "-1", "'x'", "r0.a")
        if chance < 0.05 and not self.parameters:
            self.parameters.append("1")
            return "$1"
        return self._pick("0", "1", "1", "2", "3", "1 + 1")

    def _bound(self, kind):
        """kind: 0 is UNBOUNDED PRECEDING, 4 UNBOUNDED FOLLOWING."""
        if kind in (1, 3):
            return f"{self._offset()} {('preceding', 'following')[kind // 2]}"
        return ("unbounded preceding", "current row", "unbounded following")[kind // 2]

    def _frame(self, mode):
        if self.random.random() < 0.02:
            return f"{mode} between {self._bound(3)} and {self._bound(self._pick(0, 1, 2))}"
        if self.random.random() < 0.3:
            return f"{mode} {self._bound(self._pick(0, 1, 1, 2))}"
        start = self._pick(0, 1, 1, 2, 3)
        end = self.random.choice([kind for kind in (1, 2, 3, 3, 4) if kind >= start])
        return f"{mode} between {self._bound(start)} and {self._bound(end)}" \
            f"{self.random.choice(EXCLUSIONS)}"

    def _window(self, total, keys=None):
        """The inside of the parentheses. total: rows have one order only."""
        parts = []
        columns = keys or [self._column(self.aliases) for _ in range(3)]
        if self.random.random() < 0.5:
            parts.append("partition by " + ", ".join(
                self.random.sample(columns, self._pick(1, 1, min(2, len(columns))))))
        if total:
            parts.append("order by " + self._total(keys))
            if self.random.random() < 0.6:
                mode = self._pick("rows", "rows", "groups", "range")
                if mode == "range":  # of several columns
                    parts.append("range between unbounded preceding and current row" +
                                 self.random.choice(EXCLUSIONS))
                else:
                    parts.append(self._frame(mode))
            return " ".join(parts)
        chance = self.random.random()
        if chance < 0.45 and keys is None:
            key = self._pick(self._number(), self._number(), f"{self._number()} + 1",
                             f"{self._number()}::float8", f"{self._number()}::smallint",
                             self._column(self.aliases))
            parts.append(f"order by {key}{self._direction()}")
            parts.append(self._frame(self._pick("range", "groups")))
        elif chance < 0.9:
            parts.append("order by " + ", ".join(
                key + self._direction() for key in self.random.sample(columns, 1)))
        return " ".join(parts)

    # ---- functions ----

    def _aggregate(self, total):
        kinds = ["count(*)", f"count({self._column(self.aliases)})", f"sum({self._number()})",
                 f"sum({self._number()})", f"avg({self._number()})",
                 f"min({self._column(self.aliases)})", f"max({self._column(self.aliases)})",
                 f"bool_and({self._number()} > 1)", f"bool_or({self._number()} > 3)"]
        if total:
            kinds += [f"string_agg({self._column(self.aliases, ('c',))}, '')",
                      f"array_agg({self._number()})"]
        text = self.random.choice(kinds)
        if self.random.random() < 0.02:
            text = f"count(distinct {self._number()})"
        if self.random.random() < 0.2:
            text += f" filter (where {self._predicate(self.aliases)})"
        return text

    def _ordered_function(self):
        value = self._column(self.aliases)
        count = self._pick("0", "1", "2", "3", "null", self._column(self.aliases, ("a",)))
        return self._pick(
            "row_number()", f"ntile({self._pick(1, 2, 3, 10)})", f"lag({value})", f"lead({value})",
            f"lag({value}, {count})", f"lead({value}, {count})", f"lag({self._number()}, 2, 7)",
            f"lead({self._number()}, {count}, 1.5)", f"lag({value}, 1, {value})",
            f"first_value({value})", f"last_value({value})",
            f"nth_value({value}, {self._pick(1, 2, 3)})", f"nth_value({value}, {count})")

    def _call(self):
        total = self.random.random() < 0.5
        if total and self.random.random() < 0.6:
            function = self._ordered_function()
        elif self.random.random() < 0.25:
            function = self.random.choice(RANKS)
        else:
            function = self._aggregate(total)
        named = [name for name, is_total in self.named if is_total or not total]
        if named and self.random.random() < 0.5:
            name = self.random.choice(named)
            return f"{function} over {self._pick(name, name, name, f'({name})')}"
        return f"{function} over ({self._window(total)})"

    def _value(self):
        call = self._call()
        return self._pick(call, call, call, f"coalesce(({call})::text, '-')",
                          f"case when {self._number()} > 1 then ({call})::text end")

    # ---- queries ----

    def _plain(self, rest):
        windows = []
        self.named = []
        for number in range(self._pick(0, 0, 1, 2)):
            total = self.random.random() < 0.5
            windows.append(f"w{number} as ({self._window(total)})")
            self.named.append((f"w{number}", total))
        values = [self._value() for _ in range(self._pick(1, 1, 2, 3))]
        columns = [self._column(self.aliases) for _ in range(self._pick(0, 1, 2))]
        distinct = "distinct " if self.random.random() < 0.1 else ""
        listed = columns + values
        text = f"select {distinct}{', '.join(listed)}{rest}"
        if windows:
            text += " window " + ", ".join(windows)
        if self.random.random() < 0.3:
            orders = [str(number + 1) + self._pick("", " desc") for number in range(len(listed))]
            self.random.shuffle(orders)
            if not distinct and self.random.random() < 0.2:
                orders.insert(0, self._call())
            text += " order by " + ", ".join(orders)
            if self.random.random() < 0.5:
                text += f" limit {self.random.randrange(6)}"
        return text

    def _grouped(self, rest):
        keys = [self._column(self.aliases) for _ in range(self._pick(1, 2))]
        values = [f"sum(sum({self._number()}))", "sum(count(*))", f"max(min({self._number()}))",
                  "row_number()", f"lag(count({self._number()}))", "rank()"]
        calls = [f"{self.random.choice(values)} over ({self._window(True, keys)})"
                 for _ in range(self._pick(1, 2))]
        calls.append(f"rank() over (order by {self._pick('count(*)', f'sum({self._number()})')})")
        having = " having count(*) > 1" if self.random.random() < 0.2 else ""
        return f"select {', '.join(keys + calls)}{rest} group by {', '.join(keys)}{having}"

    def _nested(self, rest):
        self.named = []
        inner = f"select {self._column(self.aliases)} as x, {self._call()} as y," \
            f" row_number() over (order by {self._total()}) as z{rest}"
        return self._pick(
            f"select * from ({inner}) s where z <= {self.random.randrange(1, 5)}",
            f"with s as ({inner}) select count(*), max(z), min(y::text) from s",
            f"select x, (select max(z) from ({inner}) t where t.x = s.x) from ({inner}) s",
            f"{inner} union {inner}",
            f"select count(*) from {self.random.choice(self.tables.names)} o, lateral (select "
            f"row_number() over (order by o.id), o.id from generate_series(1, 3)) l (p, q)"
            f" where p = q")
