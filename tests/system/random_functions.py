"""Random calls of functions that read a small language: regular expressions, SQL's, too, the
pictures of to_char() and its relatives, format(). What they mean, PostgreSQL says."""

ATOMS = ["a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\d", "ab", "bc", "é"]
QUANTIFIERS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "{1,1}?", "{0}"]
TIME_FIELDS = ("YYYY YYY YY Y Y,YYY IYYY IYY IY I MONTH Month mon MON MM DAY Day dy DDD IDDD DD D "
               "ID W WW IW CC J Q RM HH HH12 HH24 MI SS MS US FF1 FF3 FF6 SSSS AM p.m. BC TZH TZM "
               "OF TZ FX").split()
# Those that say nothing of an interval are errors there.
NO_INTERVAL_FIELDS = "MONTH Month mon MON DAY Day dy D ID BC TZ TZH TZM OF".split()
READ_FIELDS = ("YYYY YYY YY Y IYYY Month mon MON MM DAY dy DDD DD D ID WW IW CC J Q RM HH HH24 MI "
               "SS MS US FF3 SSSS AM PM BC AD TZH TZM").split()
SEPARATORS = ["", "-", " ", "/", ":", ".", '"x"', "T", "  ", ","]
READ_PICTURES = ["YYYY-MM-DD", "DD Mon YYYY", "YYYY-MM-DD HH24:MI:SS", "FMYY/MM/DD", "YYYYMMDD",
                 "YYYY DDD", "IYYY-IW-ID", "DD.MM.YYYY HH:MI AM", "Month DD, YYYY",
                 "HH24:MI:SS.US", "YYYY-MM-DD TZH:TZM", "FXYYYY-MM-DD", "CC YY", "J", "SSSS"]
READ_WORDS = ["Jan", "march", "Sunday", "fri", "xi", "am", "PM", "bc", "AD", "-5", "+3", "1st", "x"]
NUMBER_TYPES = ["numeric", "float8", "float4", "int", "bigint"]
NUMBERS = ["0", "-0.0", "0.5", "-0.5", "1e9", "123456789.987654321", "0.001", "-0.009", "99.995"]
REGEXP_CALLS = ["regexp_match({}, {})", "regexp_match({}, {})", "regexp_match({}, {})",
                "regexp_replace({}, {}, '<\\1|\\2>', 'g')", "regexp_split_to_array({}, {})",
                "substring({} from {})", "regexp_instr({}, {}, 1, 1, 1, '', 1)",
                "regexp_count({}, {})", "regexp_substr({}, {}, 1, 2)",
                "array(select x::text from regexp_matches({}, {}, 'g') x)"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Functions:
    """A source of calls: any()."""

    def __init__(self, random):
        self.random = random

    def pick(self, items):
        return self.random.choice(items)

    def any(self):
        return self.pick([self.regexp, self.regexp, self.regexp, self.similar, self.time_to_char,
                          self.interval_to_char, self.number_to_char, self.to_timestamp,
                          self.to_number, self.format])()

    def pattern(self, depth):
        shape = self.random.random()
        if depth == 0 or shape < 0.35:
            return self.pick(ATOMS)
        if shape < 0.6:
            return self.pattern(depth - 1) + self.pattern(depth - 1)
        if shape < 0.75:
            group = self.pick(["(", "(", "(?:"])
            return f"{group}{self.pattern(depth - 1)}|{self.pattern(depth - 1)})"
        if shape < 0.78:
            return self.pattern(depth - 1) + "|" + self.pattern(depth - 1)
        if shape < 0.86:
            return f"({self.pattern(depth - 1)})"
        return f"{self.pick(['(', '(?:'])}{self.pattern(depth - 1)}){self.pick(QUANTIFIERS)}"

    def regexp(self):
        text = "".join(self.pick("aabbc1 é") for _ in range(self.random.randrange(10)))
        return self.pick(REGEXP_CALLS).format(quoted(text), quoted(self.pattern(3)))

    def similar(self):
        def part():
            items = ["a", "b", "c", "%", "_", "[ab]", "a|b", "(ab)", "(a|b)*", "b+", "#%", "."]
            return "".join(self.pick(items) for _ in range(self.random.randrange(4)))
        text = "".join(self.pick("aabbc.%") for _ in range(self.random.randrange(8)))
        if self.random.random() < 0.5:
            return f"{quoted(text)} similar to {quoted(part())} escape '#'"
        pattern = f'{part()}#"{part()}#"{part()}'
        return f"substring({quoted(text)} similar {quoted(pattern)} escape '#')"

    def picture(self, fields):
        text = ""
        for _ in range(self.random.randrange(1, 7)):
            text += (self.pick(["", "", "", "FM", "TM"]) + self.pick(fields) +
                     self.pick(["", "", "", "", "TH", "th"]) + self.pick(SEPARATORS))
        return quoted(text)

    def time_to_char(self):
        r = self.random
        text = (f"{r.choice([r.randint(1, 9999), r.randint(1900, 2100)]):04}-{r.randint(1, 12):02}-"
                f"{r.randint(1, 28):02} {r.randint(0, 23):02}:{r.randint(0, 59):02}:"
                f"{r.randint(0, 59):02}.{r.choice([0, r.randint(0, 999999)]):06}"
                f"{r.choice(['', '', '', ' BC'])}")
        kind = self.pick(["timestamp", "timestamptz"])
        return f"to_char({kind} '{text}', {self.picture(TIME_FIELDS)})"

    def interval_to_char(self):
        r = self.random
        fields = [field for field in TIME_FIELDS if field not in NO_INTERVAL_FIELDS]
        return (f"to_char(interval '{r.randint(-50, 50)} mons {r.randint(-50, 50)} days "
                f"{r.randint(-99, 99)}:{r.randint(0, 59):02}:{r.randint(0, 59):02}."
                f"{r.randint(0, 999)}', {self.picture(fields)})")

    def number_picture(self):
        if self.random.random() < 0.3:
            parts = ["9", "9", "9", "9", "0", "0", ".", ",", "S", "MI", "PL", "SG", "PR", "FM", "V",
                     "D", "G", "L", "TH", "x", " ", "B", '"q"']
            return quoted("".join(self.pick(parts) for _ in range(self.random.randrange(1, 10))))
        text = self.pick(["", "FM"]) + self.pick(["", "", "S", "MI", "PL", "SG", "L"])
        text += "".join(self.pick("999990,") for _ in range(self.random.randrange(8)))
        if self.random.random() < 0.5:
            text += self.pick(".D")
            text += "".join(self.pick("9990") for _ in range(self.random.randrange(5)))
        return quoted(text + self.pick(["", "", "", "S", "MI", "PL", "SG", "PR", "TH", "th"]))

    def number(self):
        r = self.random
        shape = r.random()
        if shape < 0.3:
            return str(r.randint(-9999, 9999))
        if shape < 0.8:
            limit = 10 ** r.randint(0, 6)
            return f"{r.uniform(-limit, limit):.{r.randint(0, 5)}f}"
        return self.pick(NUMBERS)

    def number_to_char(self):
        return (f"to_char(({self.number()})::{self.pick(NUMBER_TYPES)}, "
                f"{self.number_picture()})")

    def to_number(self):
        text = "".join(self.pick("0123456789.,-+ <>") for _ in range(self.random.randrange(1, 10)))
        return f"to_number({quoted(text)}, {self.number_picture()})"

    def to_timestamp(self):
        r = self.random
        text = ""
        for _ in range(r.randint(1, 6)):
            text += r.choice([str(r.randint(0, 31)), f"{r.randint(0, 12):02}",
                              str(r.randint(1, 3000)), str(r.randint(1900, 2030)),
                              self.pick(READ_WORDS)])
            text += r.choice(["", "-", " ", "/", ":", ".", "  ", ", "])
        if r.random() < 0.5:
            return f"to_timestamp({quoted(text)}, {self.picture(READ_FIELDS)})"
        return (f"{self.pick(['to_date', 'to_timestamp'])}({quoted(text)}, "
                f"{quoted(self.pick(READ_PICTURES))})")

    def format(self):
        text = ""
        for _ in range(self.random.randrange(1, 5)):
            text += (self.pick(["", "x", "é ", "%%"]) + "%" + self.pick(["", "", "", "1$", "3$"]) +
                     self.pick(["", "", "-", "7", "-7", "*", "*2$"]) + self.pick("sssLI%"))
        arguments = self.pick(["1, 'Ab', 'c''d'", "'a\\b', 5, null", "null", "'x'"])
        return f"format({quoted(text)}, {arguments})"
