"""Random statements that write small tables: INSERT ... ON CONFLICT, and UPDATE and DELETE that
join the table with others. What a statement leaves behind is read after each."""

COLUMNS = ("k", "u", "v", "s")
CONSTRAINTS = ("w0_pkey", "w0_u_key", "w0_u_v_key", "w0_nowhere")


class WrittenTables:
    """The statements that make the tables, the same ones on every server."""

    def __init__(self, random):
        self.names = ["w0", "w1"]
        self.statements = [
            "create table w0 (k int primary key, u int unique, v bigint default 7, s text, "
            "unique (u, v), check (u < 100), constraint s_is_short check (length(s) < 6))",
            "create table w1 (k int, u int, v bigint, s text)",
            "create index w1_k on w1 (k)",
        ]
        for name, count in (("w0", 5), ("w1", 8)):
            keys = random.sample(range(8), count)
            others = random.sample(range(8), count)
            for key, other in zip(keys, others):
                self.statements.append(
                    f"insert into {name} values ({key}, {other}, {random.randrange(4)}, "
                    f"'{random.choice('pqrs')}')")


class Writes:
    """Statement by statement; every other one reads a table."""

    def __init__(self, random, tables):
        self.random = random
        self.tables = tables
        self.written = None

    def query(self):
        """The text, and the values of its parameters."""
        if self.written is not None:
            name, self.written = self.written, None
            return f"select * from {name}", []
        self.parameters = []
        chance = self.random.random()
        if chance < 0.6:
            self.written = "w0"
            return self._insert(), self.parameters
        self.written = self.random.choice(("w0", "w0", "w1"))
        return (self._update() if chance < 0.85 else self._delete()), self.parameters

    def _number(self):
        chance = self.random.random()
        if chance < 0.08:
            return "null"
        if chance < 0.12:
            return "default"
        if chance < 0.2 and not self.parameters:
            self.parameters.append(str(self.random.randrange(8)))
            return "$1"
        return str(self.random.randrange(10))

    def _row(self, columns):
        values = [repr(self.random.choice("pqrs")) if column == "s" else self._number()
                  for column in columns]
        return "(" + ", ".join(values) + ")"

    def _insert(self):
        target = "w0" + self.random.choice(("", "", " as t"))
        name = "t" if target.endswith("t") else "w0"
        columns = list(COLUMNS)
        listed = ""
        if self.random.random() < 0.4:
            columns = self.random.sample(columns, self.random.randrange(2, 5))
            listed = f" ({', '.join(columns)})"
        if self.random.random() < 0.25:
            source = f"select {', '.join(columns)} from w1"
            if self.random.random() < 0.5:
                source += f" where k {self.random.choice('<>')} {self.random.randrange(8)}"
            source += " order by w1.k, w1.u, w1.v, w1.s"
        else:
            rows = self.random.choice((1, 1, 1, 2, 3))
            source = "values " + ", ".join(self._row(columns) for _ in range(rows))
        text = f"insert into {target}{listed} {source}{self._conflict(name)}"
        return text + self._returning((name,), "excluded")

    def _conflict(self, name):
        chance = self.random.random()
        if chance < 0.05:
            return ""
        text = " on conflict"
        if chance > 0.2:
            text += self._target()
        if self.random.random() < 0.35:
            return text + " do nothing"
        text += " do update set " + self._assignments((name, "excluded"))
        if self.random.random() < 0.3:
            text += " where " + self._condition((name, "excluded"))
        return text

    def _target(self):
        chance = self.random.random()
        if chance < 0.2:
            return f" on constraint {self.random.choice(CONSTRAINTS)}"
        columns = self.random.choice((("k",), ("k",), ("k",), ("u",), ("u",), ("v", "u"),
                                      ("u", "v"), ("k", "k"), ("s",), ("k", "u"), ("(k)",),
                                      ("(k + 1)",), ("x",)))
        where = f" where {self._condition(('w0',))}" if self.random.random() < 0.05 else ""
        return f" ({', '.join(columns)}){where}"

    # ---- UPDATE and DELETE ----

    def _others(self):
        """What FROM or USING lists, and its aliases. Each row of the table meets one row of it, or
        which row writes it would be nobody's promise."""
        choice = self.random.randrange(6)
        unique = "(select k, max(u) as u, min(v) as v, min(s) as s from w1 group by k)"
        if choice == 0:
            return "w0 as o", ["o"]
        if choice == 1:
            return f"{unique} o", ["o"]
        if choice == 2:
            return f"w0 as o join {unique} p on o.k = p.k", ["o", "p"]
        if choice == 3:
            return f"w0 as o left join {unique} p on o.k = p.k and p.v > 1", ["o", "p"]
        if choice == 4:
            return "(values (1, 2, 3::bigint, 'p'), (3, 4, 5, 'q'), (6, 6, null, null)) " \
                "o (k, u, v, s)", ["o"]
        return f"w0 as o, {unique} p", ["o", "p"]

    def _joined(self, target):
        """FROM or USING, its names, and the condition that goes with it."""
        text, aliases = self._others()
        conditions = [f"{target}.k = {alias}.k" if self.random.random() < 0.9 or alias == "p"
                      else f"{alias}.k = {target}.k + 0" for alias in aliases]
        if self.random.random() < 0.4:
            conditions.append(self._condition((target, *aliases)))
        if self.random.random() < 0.03:
            text = text.replace("w0 as o", f"lateral (select {target}.k, 1 as u, 2 as v) o", 1)
        return text, aliases, " and ".join(conditions)

    def _update(self):
        table = self.written
        target = self.random.choice((table, "t"))
        text = f"update {table}{'' if target == table else ' as t'} set "
        others, condition = [], self._condition((target,))
        source = ""
        if self.random.random() < 0.75:
            source, others, condition = self._joined(target)
            source = f" from {source}"
        # Which of several rows meets the key of another first depends on their order.
        columns = ("v", "s") if table == "w0" else COLUMNS
        text += self._assignments((target, *others), columns) + source
        if source or self.random.random() < 0.8:
            text += f" where {condition}"
        return text + self._returning((target, *others), "excluded")

    def _delete(self):
        table = self.written
        target = self.random.choice((table, "t"))
        text = f"delete from {table}{'' if target == table else ' as t'}"
        others, condition = [], self._condition((target,))
        if self.random.random() < 0.7:
            source, others, condition = self._joined(target)
            text += f" using {source}"
        return f"{text} where {condition}" + self._returning((target, *others), "excluded")

    def _value(self, names, column):
        name = self.random.choice(names)
        if column == "s":
            return self.random.choice((f"{name}.s", f"{name}.s || 'x'", "'z'", "default", "null"))
        choice = self.random.randrange(8)
        if choice < 3:
            other = self.random.choice(names)
            return f"{name}.{self.random.choice('kuv')} + {other}.{self.random.choice('kuv')}"
        if choice == 3:
            return f"(select max(k) from w1 where w1.u > {name}.u)"
        if choice == 4:
            return self.random.choice(("v", "excluded.s", f"{name}.nowhere", "default", "null"))
        return f"{name}.{self.random.choice('kuv')} + {self.random.randrange(3)}"

    def _assignments(self, names, columns=COLUMNS):
        columns = self.random.sample(columns, self.random.choice((1, 1, 2, len(columns) - 1)))
        if self.random.random() < 0.03:
            columns.append(columns[0])
        if len(columns) > 1 and self.random.random() < 0.2:
            values = ", ".join(self._value(names, column) for column in columns)
            return f"({', '.join(columns)}) = ({values})"
        return ", ".join(f"{column} = {self._value(names, column)}" for column in columns)

    def _condition(self, names):
        left, right = (f"{self.random.choice(names)}.{self.random.choice('kuv')}"
                       for _ in range(2))
        return self.random.choice((
            f"{left} {self.random.choice(('<', '>', '=', '<>'))} {right}",
            f"{left} is not null",
            f"{left} in (select k from w1 where w1.v <> {right})",
            f"{left} between 1 and 6"))

    def _returning(self, names, hidden):
        chance = self.random.random()
        if chance < 0.4:
            return ""
        if chance < 0.43:
            return f" returning {hidden}.k"
        if chance < 0.6:
            return " returning *"
        name = self.random.choice(names)
        return f" returning {name}.k, {name}.v + 1 as more, {name}.s"
