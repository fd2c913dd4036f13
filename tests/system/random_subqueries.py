"""Random queries with queries in them: in FROM, in expressions, in WITH, in set operations."""
from random_joins import COLUMNS, NUMBERS, Joins

OPERATORS = ("=", "<>", "<", "<=", ">", ">=")
SET_OPERATORS = ("union", "union all", "intersect", "intersect all", "except", "except all")
DEEPEST = 3


class Subqueries(Joins):
    """Query by query. What a query says of names is nearly always right."""

    def query(self):
        """The text, and the values of its parameters."""
        self.aliases = []
        self.outer = []  # the aliases of the queries around
        self.with_names = []
        self.parameters = []
        self.depth = 0
        self.relations = 0
        prefix = self._with() if self.random.random() < 0.25 else ""
        if self.random.random() < 0.35:
            return prefix + self._set_operation(self._kinds()), self.parameters
        return prefix + self._plain(), self.parameters

    def _plain(self):
        text = f" from {self._from_clause()}"
        if self.random.random() < 0.8:
            text += f" where {self._condition(self.aliases, self.random.randrange(1, 4))}"
        return self._select(text)

    def _inside(self, make):
        """What make() answers for a query inside the present one."""
        aliases, outer = self.aliases, self.outer
        self.aliases, self.outer = [], outer + aliases
        self.depth += 1
        text = make()
        self.depth -= 1
        self.aliases, self.outer = aliases, outer
        return text

    # ---- FROM ----

    def _from_clause(self):
        text = super()._from_clause()
        if self.depth >= DEEPEST or self.random.random() > 0.15:
            return text
        alias = f"r{self.relations}"
        self.relations += 1
        query = self._inside(self._lateral)
        self.aliases.append(alias)
        if self.random.random() < 0.5:
            return f"{text}, lateral ({query}) {alias}"
        condition = self._condition([alias], 1)
        return f"{text} left join lateral ({query}) {alias} on {condition}"

    def _lateral(self):
        return self._table_columns(correlated=True)

    def _relation(self):
        alias = f"r{self.relations}"
        self.relations += 1
        if self.aliases and self.random.random() < 0.005:
            alias = self.aliases[0]  # twice
        chance = self.random.random()
        if self.with_names and chance < 0.4:
            text = self.random.choice(self.with_names)
        elif self.depth < DEEPEST and chance < 0.6:
            text = f"({self._from_subquery()})"
        else:
            text = self.random.choice(self.tables.names)
        self.aliases.append(alias)
        columns = ""
        if text.startswith("(values"):
            columns = f" ({', '.join(COLUMNS)})"
        return f"{text} {self.random.choice(('', 'as '))}{alias}{columns}", [alias]

    def _from_subquery(self):
        """A query with all columns, which does not see its neighbours."""
        aliases = self.aliases
        self.aliases = []
        text = self._inside(self._all_columns)
        self.aliases = aliases
        return text

    def _all_columns(self):
        choice = self.random.randrange(6)
        if choice == 0:
            rows = [f"({self.random.randrange(5)}, {self._literal('number')}::int, "
                    f"{self.random.randrange(5)}::bigint, {self._literal('text')}::text, "
                    f"{self.random.choice(('1', '1.5', 'null'))}::numeric)"
                    for _ in range(self.random.randrange(1, 4))]
            return f"values {', '.join(rows)}"
        if choice == 1:
            operator = self.random.choice(SET_OPERATORS)
            return f"{self._table_columns()} {operator} {self._table_columns()}"
        return self._table_columns()

    def _table_columns(self, correlated=False):
        self.aliases = []
        relation, _ = self._relation()
        alias = self.aliases[0]
        distinct = "distinct " if self.random.random() < 0.2 else ""
        text = f"select {distinct}{', '.join(f'{alias}.{column}' for column in COLUMNS)}" \
            f" from {relation}"
        conditions = []
        if correlated:
            conditions.append(self._correlation())
        if self.random.random() < 0.5:
            conditions.append(self._condition([alias], 1))
        return text + (" where " + " and ".join(conditions) if conditions else "")

    def _with(self):
        parts = []
        recursive = self.random.random() < 0.5
        for number in range(self.random.choice((1, 1, 2))):
            query = self._from_subquery()
            if recursive and self.random.random() < 0.7:
                query = self._recursion(query, f"w{number}")
            columns = f" ({', '.join(COLUMNS)})"
            parts.append(f"w{number}{columns} as ({query})")
            self.with_names.append(f"w{number}")
        if recursive and self.random.random() < 0.3:
            parts.reverse()  # they may read those behind them
        return f"with {'recursive ' if recursive else ''}{', '.join(parts)} "

    def _recursion(self, first, name):
        """Steps that end: each raises the first column, up to a bound."""
        self.aliases = ["step"]
        source = f"{name} step"
        if self.random.random() < 0.2:
            source = f"(select * from {name} where b > {self.random.randrange(3)}) step"
        union = "union all"
        if self.random.random() < 0.5:
            union = "union"
            join = self.random.choice(("join", "join", "left join", "right join"))
            source += f" {join} {self._relation()[0]} on {self._condition(self.aliases, 1)}"
        values = ["step.id + 1"]
        for column in list(COLUMNS)[1:]:
            values.append(f"step.{column}" if self.random.random() < 0.9 else
                          self._column(self.aliases, (column,)))
        step = f"select {', '.join(values)} from {source} where step.id < 4"
        if self.random.random() < 0.3:
            step += f" and {self._condition(self.aliases, 1)}"
        self.aliases = []
        return f"{first} {union} {step}"

    # ---- set operations ----

    def _kinds(self):
        return [self.random.choice(("number", "number", "text"))
                for _ in range(self.random.randrange(1, 4))]

    def _literal(self, kind):
        if self.random.random() < 0.3:
            return "null"
        if kind == "text":
            return repr(self.random.choice("pqrs"))
        return self.random.choice(("0", "1", "2", "3"))

    def _value(self, kind):
        chance = self.random.random()
        if chance < 0.02:
            kind = {"number": "text", "text": "number"}[kind]
        if chance > 0.85:
            return self._literal(kind)
        return self._column(self.aliases, ("c",) if kind == "text" else NUMBERS)

    def _arm(self, kinds):
        self.aliases = []
        relation, _ = self._relation()
        if self.random.random() < 0.01:
            kinds = kinds[1:]
        values = [self._value(kind) for kind in kinds]
        text = f"select {', '.join(values)} from {relation}"
        if self.random.random() < 0.5:
            text += f" where {self._condition(self.aliases, self.random.randrange(1, 3))}"
        return text

    def _set_operation(self, kinds):
        text = self._arm(kinds)
        for _ in range(self.random.choice((1, 1, 2, 3))):
            arm = self._arm(kinds)
            if self.random.random() < 0.2:
                arm = f"({arm} {self.random.choice(SET_OPERATORS)} {self._arm(kinds)})"
            text += f" {self.random.choice(SET_OPERATORS)} {arm}"
        if self.random.random() < 0.4:
            orders = [str(number + 1) + self.random.choice(("", " desc", " nulls first"))
                      for number in range(len(kinds))]
            text += " order by " + ", ".join(orders)
            if self.random.random() < 0.5:
                text += f" limit {self.random.randrange(6)} offset {self.random.randrange(3)}"
        return text

    # ---- expressions ----

    def _correlation(self):
        return f"{self._column(self.aliases, NUMBERS)} {self.random.choice(OPERATORS)} " \
            f"{self._column(self.outer, NUMBERS)}"

    def _source(self):
        """FROM and WHERE of a query in an expression."""
        text = f" from {self._tree(self.random.choice((1, 1, 1, 2)))[0]}"
        conditions = []
        if self.outer and self.random.random() < 0.6:
            conditions.append(self._correlation())
        if self.random.random() < 0.4:
            conditions.append(self._condition(self.aliases, 1))
        return text + (" where " + " and ".join(conditions) if conditions else "")

    def _query_of(self, kinds):
        """A query of columns of the kinds."""
        if self.random.random() < 0.1:
            return self._set_operation(kinds)
        if self.random.random() < 0.05:
            rows = [f"({', '.join(self._literal(kind) for kind in kinds)})" for _ in range(2)]
            # A list of nothing but nulls is text.
            rows.append(f"({', '.join({'number': '1', 'text': repr('p')}[k] for k in kinds)})")
            return "values " + ", ".join(rows)
        source = self._source()
        columns = [self._column(self.aliases, ("c",) if kind == "text" else NUMBERS)
                   for kind in kinds]
        return f"select {', '.join(columns)}{source}"

    def _scalar(self, kind):
        """A query of one row, mostly."""
        source = self._source()
        column = self._column(self.aliases, ("c",) if kind == "text" else NUMBERS)
        choice = self.random.randrange(8)
        if choice == 0:
            return f"select {column}{source} order by 1 limit 1"
        if choice == 1:
            return f"select {column} /* many */{source}"
        if choice == 2 and kind == "number":
            return f"select count(*){source}"
        if choice == 3 and kind == "number" and self.outer:
            return f"select max({column}) + {self._column(self.outer, NUMBERS)}{source}"
        return f"select {self.random.choice(('min', 'max'))}({column}){source}"

    def _row(self, aliases, kinds):
        values = [self._literal(kind) if self.random.random() < 0.4 else
                  self._column(aliases, ("c",) if kind == "text" else NUMBERS) for kind in kinds]
        return f"({', '.join(values)})"

    def _row_predicate(self, aliases):
        kinds = [self.random.choice(("number", "number", "text"))
                 for _ in range(self.random.choice((2, 2, 3)))]
        row, others = self._row(aliases, kinds), [self._row(aliases, kinds) for _ in range(2)]
        choice = self.random.randrange(8)
        negated = self.random.choice(("", "not "))
        if choice == 0:
            return f"{row} {negated}in ({', '.join(others)})"
        if choice == 1:
            return f"{row} {negated}between {others[0]} and {others[1]}"
        if choice == 2:
            return f"{row} is {negated}distinct from {others[0]}"
        if choice == 3:
            return f"{row} is {negated}null"
        return f"{row} {self.random.choice(OPERATORS)} {others[0]}"

    def _predicate(self, aliases):
        if self.random.random() < 0.08:
            return self._row_predicate(aliases)
        if self.depth >= DEEPEST or self.random.random() < 0.5:
            return super()._predicate(aliases)
        choice = self.random.randrange(8)
        kind = self.random.choice(("number", "number", "text"))
        left = self._column(aliases, ("c",) if kind == "text" else NUMBERS)
        if choice < 2:
            negated = self.random.choice(("", "not "))
            return f"{negated}exists ({self._inside(lambda: self._query_of(['number']))})"
        if choice < 5:
            negated = self.random.choice(("", "not "))
            if self.random.random() < 0.2:
                other = self._column(aliases, NUMBERS)
                query = self._inside(lambda: self._query_of([kind, "number"]))
                return f"({left}, {other}) {negated}in ({query})"
            return f"{left} {negated}in ({self._inside(lambda: self._query_of([kind]))})"
        if choice == 5:
            return f"{left} {self.random.choice(OPERATORS)} {self.random.choice(('any', 'all'))} " \
                f"({self._inside(lambda: self._query_of([kind]))})"
        return f"{left} {self.random.choice(OPERATORS)} " \
            f"({self._inside(lambda: self._scalar(kind))})"

    def _select(self, rest):
        if self.random.random() < 0.4:
            values = []
            for _ in range(self.random.randrange(1, 3)):
                kind = self.random.choice(("number", "text"))
                values.append(self.random.choice((
                    f"({self._inside(lambda: self._scalar(kind))})",
                    f"exists ({self._inside(lambda: self._query_of([kind]))})",
                    f"{self._column(self.aliases, ('a', 'b'))} in "
                    f"({self._inside(lambda: self._query_of(['number']))})")))
            columns = [self._column(self.aliases) for _ in range(2)]
            return f"select {', '.join(columns + values)}{rest}"
        if self.random.random() < 0.15:
            key = self._column(self.aliases)
            number = self._column(self.aliases, NUMBERS)
            query = self._inside(lambda: self._scalar("number"))
            return f"select {key}, count(*), max({number}){rest} group by {key} " \
                f"having max({number}) {self.random.choice(OPERATORS)} ({query})"
        return super()._select(rest)
