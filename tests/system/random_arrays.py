"""Random queries with arrays: literals, ARRAY, ANY, ALL, subscripts, functions, sets."""
from random_joins import NUMBERS
from random_subqueries import DEEPEST, OPERATORS, Subqueries

ELEMENTS = {"number": ("0", "1", "2", "3", "null"), "text": ("'p'", "'q'", "'r s'", "''", "null")}
COLUMNS = {"number": ("id", "a"), "text": ("c",)}
TYPES = {"number": "int", "text": "text"}


class Arrays(Subqueries):
    """Query by query. Arrays are of int or text, unless a cast or a mistake makes them others."""

    def _kind(self):
        return self.random.choice(("number", "number", "text"))

    def _item(self, kind, aliases):
        if aliases and self.random.random() < 0.4:
            return self._column(aliases, COLUMNS[kind])
        return self.random.choice(ELEMENTS[kind])

    def _literal_array(self, kind):
        items = [self.random.choice(ELEMENTS[kind])
                 for _ in range(self.random.choice((0, 1, 2, 2, 3)))]
        text = ",".join(item if item == "null" else '"' + item.strip("'") + '"'
                        if kind == "text" else item for item in items)
        if items and self.random.random() < 0.1:
            return f"'[2:{len(items) + 1}]={{{text}}}'"
        return f"'{{{text}}}'"

    def _array(self, kind, aliases, depth=2):
        choice = self.random.randrange(11)
        if depth == 0 or choice < 2:
            return f"{self._literal_array(kind)}::{TYPES[kind]}[]"
        if choice < 5:
            items = [self._item(kind, aliases) for _ in range(self.random.randrange(1, 4))]
            text = f"array[{', '.join(items)}]"
            return text + (f"::{TYPES[kind]}[]" if self.random.random() < 0.7 else "")
        if choice == 5 and self.depth < DEEPEST:
            query = self._inside(lambda: self._query_of([kind]))
            return f"array(select x::{TYPES[kind]} from ({query}) q (x) order by 1)"
        if choice == 6:
            name = self.random.choice(("array_append", "array_remove"))
            return f"{name}({self._array(kind, aliases, depth - 1)}, {self._item(kind, aliases)})"
        if choice == 7:
            return f"({self._array(kind, aliases, depth - 1)} || {self._item(kind, aliases)})"
        if choice == 8:
            return f"({self._array(kind, aliases, depth - 1)} || " \
                f"{self._array(kind, aliases, depth - 1)})"
        if choice == 9 and kind == "text":
            return f"string_to_array({self._item(kind, aliases)}, 'q')"
        if choice == 9:
            return f"{self._array('number', aliases, depth - 1)}::" \
                f"{self.random.choice(('bigint', 'numeric', 'text'))}[]"
        return f"array_prepend({self._item(kind, aliases)}, " \
            f"{self._array(kind, aliases, depth - 1)})"

    def _made_of_array(self, aliases):
        kind = self._kind()
        array = self._array(kind, aliases)
        return self.random.choice((
            array, array,
            f"({array})[{self.random.choice(('1', '2', '0', 'null', '3::bigint'))}]",
            f"cardinality({array})",
            f"array_length({array}, {self.random.choice('112')})",
            f"array_upper({array}, 1)", f"array_lower({array}, 1)", f"array_ndims({array})",
            f"array_dims({array})",
            f"array_position({array}, {self._item(kind, aliases)})",
            f"array_positions({array}, {self._item(kind, aliases)})",
            f"array_replace({array}, {self._item(kind, aliases)}, {self._item(kind, aliases)})",
            f"array_to_string({array}, '-')", f"array_to_string({array}, ',', '*')",
            f"({array})::text"))

    def _predicate(self, aliases):
        if self.random.random() < 0.5:
            return super()._predicate(aliases)
        kind = self._kind()
        left = self._column(aliases, ("c",) if kind == "text" else NUMBERS)
        choice = self.random.randrange(8)
        word = self.random.choice(("any", "any", "all"))
        if choice == 0 and not self.parameters:
            self.parameters.append(self._literal_array("number").strip("'"))
            return f"{self._column(aliases, NUMBERS)} = any ($1)"
        if choice == 1:
            return f"{left} = any ({self._literal_array(kind)})"
        if choice < 5:
            return f"{left} {self.random.choice(OPERATORS)} {word} ({self._array(kind, aliases)})"
        operator = self.random.choice(OPERATORS + ("@>", "<@", "&&", "is distinct from"))
        return f"{self._array(kind, aliases)} {operator} {self._array(kind, aliases)}"

    def _lateral(self):
        if self.random.random() < 0.4:
            return super()._lateral()
        self.aliases = []
        array = self._array("number", self.outer)
        return "select u.o::int as id, u.x::int as a, u.o as b, 'p'::text as c," \
            f" u.x::numeric as n from unnest({array}) with ordinality u (x, o)"

    def _select(self, rest):
        style = self.random.random()
        if style < 0.3:
            values = [self._made_of_array(self.aliases)
                      for _ in range(self.random.randrange(1, 3))]
            values.append(self._column(self.aliases))
            return f"select {', '.join(values)}{rest}"
        if style < 0.4:
            key = self._column(self.aliases)
            number = self._column(self.aliases, NUMBERS + ("c",))
            direction = self.random.choice(("", " desc", " nulls first"))
            arguments = self.random.choice((f"distinct {number}",
                                            f"{number} order by {number}{direction}"))
            return f"select {key}, array_agg({arguments}){rest} group by {key}"
        if style < 0.45:
            array = self._array("number", self.aliases)
            distinct = self.random.choice(("", "distinct "))
            return f"select {distinct}{array}, count(*){rest} group by 1"
        if style < 0.6:
            sets = [f"unnest({self._array(self._kind(), self.aliases)})"
                    for _ in range(self.random.choice((1, 1, 2)))]
            distinct = "distinct " if self.random.random() < 0.2 else ""
            text = f"select {distinct}{', '.join(sets)}, {self._column(self.aliases)}{rest}"
            numbers = [str(number + 1) for number in range(len(sets) + 1)]
            if self.random.random() < 0.4:
                text += f" order by {', '.join(numbers)}"
                if self.random.random() < 0.5:
                    text += f" limit {self.random.randrange(5)} offset {self.random.randrange(3)}"
            return text
        return super()._select(rest)
