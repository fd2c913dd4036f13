"""Random definitions, ALTERs, writes, views, savepoints and rollbacks on two tables, of which one
refers to the other."""

TYPES = ("int", "int", "bigint", "smallint", "text", "text", "varchar(4)", "char(3)",
         "numeric(6,2)", "float8", "bool")
NUMBERS = {"integer", "bigint", "smallint", "numeric(6,2)", "double precision"}
NAMES = "abcdefgh"


class Alters:
    """Statement by statement. columns(table) says what the table has now: [(name, type)]."""

    def __init__(self, random, columns):
        self.random = random
        self.columns = columns
        self.in_block = False
        self.views = 0

    def start(self):
        chance = self.random
        return [
            "create table m (a int primary key, b text, c int default 3)",
            "create table n (a int, b int references m, c varchar(4) not null default 'x', "
            "unique (a, c))",
            "insert into m select g, 't' || g, g % 3 from generate_series(1, 8) g",
            "insert into n select g, 1 + g % 8, 'v' || g % 4 from generate_series(1, 12) g",
            "create index on " + chance.choice(("m (b)", "n (b, a)", "m (c, b)")),
        ]

    def statement(self):
        chance = self.random.random()
        if chance < 0.06 and not self.in_block:
            self.in_block = True
            return self.random.choice(("begin", "begin", "begin isolation level repeatable read"))
        if chance < 0.16 and self.in_block:
            if chance < 0.08:
                self.in_block = False
                return self.random.choice(("commit", "commit", "rollback"))
            return self.random.choice(("savepoint s", "rollback to s", "rollback to s",
                                       "release s"))
        table = self.random.choice("mn")
        if chance < 0.62:
            return self.alter(table)
        if chance < 0.66:
            return self.view(table)
        return self.write(table)

    def alter(self, table):
        count = self.random.choice((1, 1, 1, 2, 3))
        return f"alter table {table} " + ", ".join(self.action(table) for _ in range(count))

    def column(self, table):
        names = [name for name, _ in self.columns(table)]
        return self.random.choice(names + ["nope"]) if names else "nope"

    def value(self, kind):
        chance = self.random.random()
        if chance < 0.12:
            return "null"
        number = self.random.randrange(6)
        if kind in NUMBERS:
            return str(number)
        if kind == "boolean":
            return self.random.choice(("true", "false"))
        return f"'{number}'" if chance < 0.7 else f"'x{number}'"

    def new_column(self, table):
        name = self.random.choice(NAMES)
        kind = self.random.choice(TYPES)
        chance = self.random.random()
        if chance < 0.08:
            return f"{name} serial"
        if chance < 0.14:
            when = self.random.choice(("always", "by default"))
            return f"{name} int generated {when} as identity"
        text = f"{name} {kind}"
        if chance < 0.55:
            number = self.random.randrange(6)
            text += self.random.choice((
                f" default {number}", f" default '{number}'", f" default {number} + 1",
                " default length(current_user) - length(current_user)", " default null",
                " default (random() * 0)::int"))
        if self.random.random() < 0.25:
            text += " not null"
        chance = self.random.random()
        if chance < 0.08:
            text += " unique"
        elif chance < 0.12:
            text += " primary key"
        elif chance < 0.22 and kind in ("int", "bigint", "smallint"):
            text += self.random.choice((f" check ({name} < 5)", f" check ({name} <> 4)"))
        elif chance < 0.3:
            text += " references " + self.random.choice(("m", "m (a)", "n (a)"))
        return text

    def action(self, table):
        chance = self.random.random()
        column = self.column(table)
        if chance < 0.25:
            exists = self.random.choice(("", "", "if not exists "))
            return f"add column {exists}{self.new_column(table)}"
        if chance < 0.42:
            exists = self.random.choice(("", "", "if exists "))
            return f"drop column {exists}{column}{self.random.choice(('', '', ' cascade'))}"
        if chance < 0.67:
            kind = self.random.choice(TYPES)
            using = self.random.choice((
                "", "", f" using {column}::{kind}", f" using {column}::text::{kind}",
                f" using (length({column}::text))", " using null", " using 1"))
            return f"alter column {column} type {kind}{using}"
        if chance < 0.77:
            return f"alter column {column} {self.random.choice(('set', 'drop'))} not null"
        if chance < 0.84:
            return self.random.choice((
                f"alter column {column} drop default",
                f"alter column {column} set default {self.random.randrange(6)}",
                f"alter column {column} set default 'x'"))
        if chance < 0.93:
            other = self.column(table)
            return self.random.choice((
                f"add unique ({column})", f"add unique ({column}, {other})",
                f"add primary key ({column})",
                f"add check ({column} is not null or {other} = {other})",
                f"add constraint k check ({column} is not null)",
                f"add foreign key ({column}) references m",
                f"add constraint f foreign key ({column}) "
                f"references {self.random.choice('mn')} ({self.random.choice('abc')})"))
        return "drop constraint " + self.random.choice(
            ("if exists k", "if exists f", f"if exists {table}_pkey", f"{table}_pkey cascade",
             f"if exists {table}_a_key", f"if exists {table}_{column}_key cascade", "n_b_fkey"))

    def view(self, table):
        if self.views > 0 and self.random.random() < 0.4:
            return f"drop view if exists w{self.random.randrange(self.views)} cascade"
        name = f"w{self.views}"
        self.views += 1
        source = self.random.choice((table, table, f"w{self.random.randrange(self.views)}"))
        if source != table:
            return f"create view {name} as select * from {source}"
        columns = [name for name, _ in self.columns(table)]
        chosen = self.random.sample(columns, min(len(columns), self.random.choice((1, 2))))
        return f"create view {name} as select {', '.join(chosen)} from {table}"

    def write(self, table):
        columns = self.columns(table)
        chance = self.random.random()
        where = ""
        if columns and self.random.random() < 0.8:
            name, kind = self.random.choice(columns)
            where = f" where {name} = {self.value(kind)}"
        if chance < 0.5 or not columns:
            chosen = [column for column in columns if self.random.random() < 0.75]
            if not chosen:
                return f"insert into {table} default values"
            names = ", ".join(name for name, _ in chosen)
            values = ", ".join(self.value(kind) for _, kind in chosen)
            end = self.random.choice(("", "", " on conflict do nothing", " returning *"))
            return f"insert into {table} ({names}) values ({values}){end}"
        if chance < 0.85:
            name, kind = self.random.choice(columns)
            return f"update {table} set {name} = {self.value(kind)}{where}"
        return f"delete from {table}{where}"
