"""Random queries that join small tables full of nulls and duplicates."""

# Every table has all of these columns.
COLUMNS = {"id": "int", "a": "int", "b": "bigint", "c": "text", "n": "numeric"}
NUMBERS = ("id", "a", "b", "n")
# What may differ, with its reason, as compared.py takes it.
FULL_JOIN_DIFFERS = (
    r"full join", r"^\(", r"^ERROR 0A000$",
    "PostgreSQL makes a full join a simpler one where WHERE leaves out its null-extended rows")
KINDS = ("join", "inner join", "left join", "right join", "full join", "cross join", ",")


class Tables:
    """The statements that make the tables, the same ones on every server."""

    def __init__(self, random, count=4):
        self.names = [f"t{number}" for number in range(count)]
        self.statements = []
        for number, name in enumerate(self.names):
            key = number % 2 == 0
            columns = ", ".join(f"{column} {kind}" + (" primary key" if key and column == "id"
                                                      else "")
                                for column, kind in COLUMNS.items())
            self.statements.append(f"create table {name} ({columns})")
            if number % 3 == 1:
                self.statements.append(f"create index {name}_a on {name} (a)")
                self.statements.append(f"create index {name}_cb on {name} (c, b)")
            rows = random.choice((0, 1, 5)) if number == 3 else random.randrange(4, 9)
            for row in range(rows):
                values = [str(row) if key else self._value(random, "id")]
                values += [self._value(random, column) for column in list(COLUMNS)[1:]]
                self.statements.append(f"insert into {name} values ({', '.join(values)})")

    @staticmethod
    def _value(random, column):
        if random.random() < 0.2:
            return "null"
        if column == "c":
            return repr(random.choice("pqrs"))
        # No 1.0 beside 1: which of them a group or DISTINCT shows is nobody's promise.
        return str(random.randrange(5)) + (random.choice(("", ".5")) if column == "n" else "")


class Joins:
    """Query by query. What a query says of names is nearly always right."""

    def __init__(self, random, tables):
        self.random = random
        self.tables = tables

    def query(self):
        """The text, and the values of its parameters."""
        self.aliases = []
        self.parameters = []
        source = self._from_clause()
        text = f" from {source}"
        if self.random.random() < 0.6:
            text += f" where {self._condition(self.aliases, self.random.randrange(1, 4))}"
        return self._select(text), self.parameters

    def _from_clause(self):
        relations = self.random.choice((1, 2, 2, 2, 3, 3, 3, 4))
        text, _, _ = self._tree(relations)
        return text

    def _relation(self):
        name = self.random.choice(self.tables.names)
        alias = f"r{len(self.aliases)}"
        if self.aliases and self.random.random() < 0.01:
            alias = "r0"  # twice
        self.aliases.append(alias)
        return f"{name} {self.random.choice(('', 'as '))}{alias}", [alias]

    def _tree(self, relations):
        """Text, its aliases, and whether it is more than one FROM item."""
        if relations == 1:
            text, aliases = self._relation()
            return text, aliases, False
        split = self.random.randrange(1, relations)
        if self.random.random() < 0.6:
            split = relations - 1  # as they are mostly written
        left, left_aliases, left_list = self._tree(split)
        right, right_aliases, right_list = self._tree(relations - split)
        aliases = left_aliases + right_aliases
        kind = self.random.choice(KINDS)
        if left_list or right_list:
            kind = ","
        if kind == ",":
            return f"{left}, {right}", aliases, True
        if relations - split > 1:
            right = f"({right})"
        if kind == "cross join":
            return f"{left} cross join {right}", aliases, False
        style = self.random.random()
        if style < 0.12:
            columns = self.random.sample(list(COLUMNS), self.random.choice((1, 1, 2)))
            return f"{left} {kind} {right} using ({', '.join(columns)})", aliases, False
        if style < 0.14:
            return f"{left} natural {kind} {right}", aliases, False
        condition = self._equality(left_aliases, right_aliases)
        if kind == "full join":
            if self.random.random() < 0.3:
                condition += " and " + self._predicate(aliases)
        elif style < 0.35:
            condition = self._condition(aliases, self.random.randrange(1, 3))
        elif style < 0.6:
            condition += " and " + self._condition(aliases, 1)
        seen = self.aliases if self.random.random() < 0.01 else aliases
        if seen is not aliases:
            condition += " and " + self._predicate(seen)
        return f"{left} {kind} {right} on {condition}", aliases, False

    def _column(self, aliases, columns=tuple(COLUMNS)):
        column = self.random.choice(columns)
        chance = self.random.random()
        if chance < 0.01:
            return column  # mostly ambiguous
        if chance < 0.015:
            return f"nowhere.{column}"
        return f"{self.random.choice(aliases)}.{column}"

    def _equality(self, left, right):
        if self.random.random() < 0.2:
            return f"{self._column(left, ('c',))} = {self._column(right, ('c',))}"
        sides = [self._column(left, NUMBERS), self._column(right, NUMBERS)]
        if self.random.random() < 0.15:
            sides[0] += " + 1"
        if self.random.random() < 0.5:
            sides.reverse()
        return " = ".join(sides)

    def _predicate(self, aliases):
        choice = self.random.randrange(8)
        if choice == 0:
            return f"{self._column(aliases)} is {self.random.choice(('', 'not '))}null"
        if choice == 1:
            return f"{self._column(aliases, ('c',))} {self.random.choice(('=', '<', '<>'))} " + \
                repr(self.random.choice("pqrs"))
        if choice == 2:
            return f"{self._column(aliases, NUMBERS)} in (1, 3)"
        if choice == 3:
            return f"{self._column(aliases, NUMBERS)} between 1 and 3"
        if choice == 4 and not self.parameters:
            self.parameters.append(str(self.random.randrange(5)))
            return f"{self._column(aliases, ('id', 'a', 'b'))} = $1"
        if choice == 5:
            return self.random.choice(("true", "false", "1 = 1", "null"))
        operator = self.random.choice(("=", "=", "<", ">=", "<>", "is distinct from"))
        return f"{self._column(aliases, NUMBERS)} {operator} {self._column(aliases, NUMBERS)}"

    def _condition(self, aliases, size):
        if size == 1:
            return self._predicate(aliases)
        parts = [self._condition(aliases, size - 1), self._predicate(aliases)]
        if self.random.random() < 0.2:
            return f"not ({parts[0]})"
        return "(" + self.random.choice((" and ", " and ", " or ")).join(parts) + ")"

    def _select(self, rest):
        style = self.random.random()
        if style < 0.15:
            return "select *" + rest
        if style < 0.3:
            alias = self.random.choice(self.aliases)
            return f"select {alias}.*, {self._column(self.aliases)}" + rest
        if style < 0.5:
            keys = [self._column(self.aliases) for _ in range(self.random.choice((1, 1, 2)))]
            listed = ", ".join(keys)
            having = " having count(*) > 1" if self.random.random() < 0.3 else ""
            return (f"select {listed}, count(*), sum({self._column(self.aliases, NUMBERS)}), "
                    f"max({self._column(self.aliases)}){rest} group by {listed}{having}")
        if style < 0.6:
            return (f"select count(*), count({self._column(self.aliases)}), "
                    f"min({self._column(self.aliases)})" + rest)
        columns = [self._column(self.aliases) for _ in range(self.random.randrange(1, 5))]
        distinct = "distinct " if self.random.random() < 0.2 else ""
        if self.random.random() < 0.15:
            return self._distinct_on(columns, rest)
        text = f"select {distinct}{', '.join(columns)}" + rest
        if self.random.random() < 0.4:
            # All columns: so a limit leaves no choice of rows.
            orders = [str(number + 1) + self.random.choice(("", " desc", " nulls first"))
                      for number in range(len(columns))]
            self.random.shuffle(orders)
            text += " order by " + ", ".join(orders)
            if self.random.random() < 0.5:
                text += f" limit {self.random.randrange(6)} offset {self.random.randrange(3)}"
        return text

    def _distinct_on(self, columns, rest):
        """All columns are in the order, so that it is clear which rows stay."""
        numbers = [str(number + 1) for number in range(len(columns))]
        self.random.shuffle(numbers)
        about = self.random.sample(numbers, self.random.randrange(1, len(numbers) + 1))
        others = [number for number in numbers if number not in about]
        ordered = self.random.sample(about, len(about)) + others
        if self.random.random() < 0.05:
            self.random.shuffle(ordered)  # mostly an error
        orders = [number + self.random.choice(("", " desc", " nulls first")) for number in ordered]
        if self.random.random() < 0.3:
            about = [columns[int(number) - 1] for number in about]
        return f"select distinct on ({', '.join(about)}) {', '.join(columns)}{rest}" \
            f" order by {', '.join(orders)}"
