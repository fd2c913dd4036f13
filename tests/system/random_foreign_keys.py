"""Random tables with foreign keys among them, and random statements that write the tables."""

ACTIONS = ("", "", "no action", "restrict", "cascade", "cascade", "set null", "set default")
VALUES = 6


class ReferringTables:
    """The statements that make the tables, the same ones on every server."""

    def __init__(self, random, deferrable=False):
        self.random = random
        self.deferrable = deferrable
        self.names = ["f0", "f1", "f2"]
        self.statements = []
        for name in self.names:
            default = random.choice(("", f" default {random.randrange(VALUES)}"))
            not_null = random.choice(("", "", " not null"))
            self.statements.append(
                f"create table {name} (k int primary key, a int{default}, b bigint{not_null} "
                f"default {random.randrange(VALUES)}, t varchar(8) default 'p', "
                "unique (a, b), unique (t))")
        for name in self.names:
            for column in random.sample(("a", "b", "t"), random.randrange(2)):
                self.statements.append(f"create index on {name} ({column})")
        for number in range(random.choice((1, 2, 2, 3, 3, 4))):
            self.statements.append(self.key(f"fk{number}"))
        self.keys = len(self.statements)

    def key(self, name):
        """ALTER TABLE that adds a foreign key; its table has no rows yet, or maybe wrong ones."""
        columns, referenced = self.random.choice((
            ("a", "(k)"), ("a", ""), ("b", "(k)"), ("k", "(k)"), ("t", "(t)"),
            ("a, b", "(a, b)"), ("b, a", "(b, a)"), ("a, k", "(a, b)"), ("k, a", "(b, a)")))
        text = (f"alter table {self.random.choice(self.names)} add constraint {name} "
                f"foreign key ({columns}) references {self.random.choice(self.names)} {referenced}")
        text += self.random.choice(("", "", "", " match full", " match simple"))
        update = self.random.choice(ACTIONS)
        if update:
            text += f" on update {update}"
        delete = self.random.choice(ACTIONS)
        if delete:
            text += f" on delete {delete}"
        if delete.startswith("set") and self.random.random() < 0.3:
            text += f" ({self.random.choice(columns.split(', '))})"
        if self.deferrable:
            text += self.random.choice(("", " deferrable", " deferrable initially deferred",
                                        " deferrable initially deferred"))
        return text


class ReferringWrites:
    """Statement by statement."""

    def __init__(self, random, tables):
        self.random = random
        self.tables = tables
        self.in_block = False

    def statement(self):
        chance = self.random.random()
        if chance < 0.04 and not self.in_block:
            self.in_block = True
            return "begin"
        if chance < 0.15 and self.in_block:
            if chance < 0.09:
                self.in_block = False
                return self.random.choice(("commit", "commit", "rollback"))
            return self.random.choice(("savepoint s", "rollback to s", "release s")
                                      + (("set constraints all immediate",
                                          "set constraints all deferred",
                                          "set constraints fk0 immediate",
                                          "set constraints fk1, fk0 deferred")
                                         if self.tables.deferrable else ()))
        name = self.random.choice(self.tables.names)
        if chance < 0.6:
            return self._insert(name)
        if chance < 0.85:
            return self._update(name)
        return self._delete(name)

    def _number(self):
        chance = self.random.random()
        if chance < 0.15:
            return "null"
        if chance < 0.2:
            return "default"
        return str(self.random.randrange(VALUES))

    def _text(self):
        chance = self.random.random()
        if chance < 0.3:
            return "null"
        return repr(self.random.choice("pqrstu"))

    def _value(self, column):
        if column == "k":
            return str(self.random.randrange(VALUES))
        return self._text() if column == "t" else self._number()

    def _insert(self, name):
        columns = ("k", "a", "b", "t")
        rows = ", ".join("(" + ", ".join(map(self._value, columns)) + ")"
                         for _ in range(self.random.choice((1, 1, 1, 2, 3))))
        text = f"insert into {name} values {rows}"
        chance = self.random.random()
        if chance < 0.35:
            return text + " on conflict do nothing"
        if chance < 0.5:
            column = self.random.choice(("a", "b", "t"))
            return text + f" on conflict (k) do update set {column} = excluded.{column}"
        return text + (" returning k" if chance > 0.9 else "")

    def _where(self, name):
        chance = self.random.random()
        if chance < 0.75:
            return f"{name}.k = {self.random.randrange(VALUES)}"
        if chance < 0.85:
            return f"{name}.k in ({self.random.randrange(VALUES)}, {self.random.randrange(VALUES)})"
        if chance < 0.95:
            return f"{name}.a = {self.random.randrange(VALUES)}"
        return "true"

    def _update(self, name):
        column = self.random.choice(("k", "k", "a", "b", "t"))
        value = self._value(column)
        if self.random.random() < 0.25 and column != "t":
            value = f"{name}.{column} + 1"
        text = f"update {name} set {column} = {value}"
        if self.random.random() < 0.3:
            other = self.random.choice([each for each in ("k", "a", "b", "t") if each != column])
            text += f", {other} = {self._value(other)}"
        if self.random.random() < 0.1:
            other = self.random.choice(self.tables.names)
            return text + f" from {other} o where o.k = {name}.k and {self._where(name)}"
        return text + f" where {self._where(name)}"

    def _delete(self, name):
        if self.random.random() < 0.1:
            other = self.random.choice(self.tables.names)
            return (f"delete from {name} using {other} o where o.k = {name}.k "
                    f"and {self._where(name)}")
        return f"delete from {name} where {self._where(name)}"
