"""Measure how densely Python code is written: `python -m tests.readability`.

It prints one row for each room, which is a folder with modules, and one for all of them together.

Without `--of` it measures `service.py` and `python/`; `python/example` is left out of the last row.
`--of FOLDER` measures any other code base, so that the figures have something to stand beside.

What is counted:

* Tokens are the NAME, NUMBER, STRING and OP tokens of Python's `tokenize`, without docstrings.
  An f-string is one token, whatever it holds.
* A docstring is any string that is a statement of its own, below an attribute as well.
* A code line is a line that holds at least one token that is neither a comment nor a docstring.
* The length of a line is its number of characters, with its indentation.
  The mean is that of the code lines; the share over 100 is that of all lines but blank ones.
* Comprehensions and conditionals are list, set and dict comprehensions with generator expressions,
  and conditional expressions (`a if b else c`), per 100 code lines.
* Bare Any is the share of parameters and returns that are annotated with exactly `Any`.
  `self` and `cls` are no parameters here, and neither are those of a lambda.
* A function is a `def`, methods included. It begins with the line of its `def`, after decorators.
  Neither its docstring nor the functions that are nested in it are part of it; those are functions
  themselves. Its length is in lines, blank ones and comments included.
* p50 and p90 are the smallest values that 50 and 90 percent of the functions do not exceed.
* Nesting is the number of blocks around a statement within its function. `elif` is no deeper
  than its `if`, and a `case` is part of its `match`.
* Arguments are all parameters of a function: keyword-only ones, `*args` and `**kwargs` included.
"""

import argparse
import ast
import io
import math
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINE_LIMIT_CHARACTERS = 100
COUNTED = {tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP}
# From Python 3.12 on, an f-string is several tokens; 3.11 has it as one STRING.
F_STRING_START = getattr(tokenize, "FSTRING_START", None)
F_STRING_END = getattr(tokenize, "FSTRING_END", None)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
BLOCKS = (
    ast.If,
    *LOOPS,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)
BARE_ANY = {"Any", "typing.Any", "t.Any"}
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Token:
    """One counted token and the lines that it covers."""

    first_line: int
    last_line: int


@dataclass
class Function:
    """What is measured of one function."""

    name: str
    nesting: int
    arguments: int
    lines: int = 0
    tokens: int = 0


@dataclass
class Measurement:
    """What is measured of some modules: counts, and what the table makes of them."""

    tokens: int = 0
    lines: int = 0
    long_lines: int = 0
    code_line_lengths: list[int] = field(default_factory=list)
    comprehensions: int = 0
    conditionals: int = 0
    annotations: list[str] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    def add(self, source: str) -> None:
        """Count a module's source as well."""
        nodes = list(ast.walk(ast.parse(source)))
        docstring_lines = find_docstring_lines(nodes)
        tokens = list(read_tokens(source, docstring_lines))
        self.tokens += len(tokens)
        self._add_lines(source.splitlines(), tokens)
        self._add_nodes(nodes)
        self.functions += measure_functions(nodes, tokens, docstring_lines)

    def _add_lines(self, lines: list[str], tokens: list[Token]) -> None:
        for line in lines:
            if line.strip():
                self.lines += 1
            if len(line) > LINE_LIMIT_CHARACTERS:
                self.long_lines += 1
        code_lines: set[int] = set()
        for token in tokens:
            code_lines.update(range(token.first_line, token.last_line + 1))
        for number in sorted(code_lines):
            self.code_line_lengths.append(len(lines[number - 1]))

    def _add_nodes(self, nodes: list[ast.AST]) -> None:
        for node in nodes:
            if isinstance(node, COMPREHENSIONS):
                self.comprehensions += 1
            elif isinstance(node, ast.IfExp):
                self.conditionals += 1
            elif isinstance(node, FunctionNode):
                self.annotations += read_annotations(node)

    @property
    def code_lines(self) -> int:
        """The number of lines with code."""
        return len(self.code_line_lengths)

    @property
    def tokens_per_line(self) -> float:
        """The tokens per code line."""
        return ratio(self.tokens, self.code_lines)

    @property
    def mean_line_length(self) -> float:
        """The mean length of the code lines, in characters."""
        return ratio(sum(self.code_line_lengths), self.code_lines)

    @property
    def long_line_share(self) -> float:
        """The share of lines over the limit."""
        return ratio(self.long_lines, self.lines)

    @property
    def comprehensions_per_100(self) -> float:
        """The comprehensions per 100 code lines."""
        return ratio(100 * self.comprehensions, self.code_lines)

    @property
    def conditionals_per_100(self) -> float:
        """The conditional expressions per 100 code lines."""
        return ratio(100 * self.conditionals, self.code_lines)

    @property
    def any_share(self) -> float:
        """The share of parameters and returns that are a bare `Any`."""
        bare = [
            annotation
            for annotation in self.annotations
            if annotation in BARE_ANY
        ]
        return ratio(len(bare), len(self.annotations))

    @property
    def deepest_nesting(self) -> int:
        """The most blocks in one another in a function."""
        return max(
            (function.nesting for function in self.functions), default=0
        )

    @property
    def most_arguments(self) -> int:
        """The most arguments of a function."""
        return max(
            (function.arguments for function in self.functions), default=0
        )

    def function_lines(self, percent: int) -> int:
        """Return the percentile of the functions' lengths in lines."""
        return percentile(
            [function.lines for function in self.functions], percent
        )

    def function_tokens(self, percent: int) -> int:
        """Return the percentile of the functions' tokens."""
        return percentile(
            [function.tokens for function in self.functions], percent
        )


def measure(paths: Iterable[Path]) -> Measurement:
    """Return what is measured of the modules at the paths together."""
    measurement = Measurement()
    for path in paths:
        measurement.add(path.read_text(encoding="utf-8"))
    return measurement


def find_docstring_lines(nodes: Iterable[ast.AST]) -> set[int]:
    """Return the number of each line that a docstring covers."""
    numbers: set[int] = set()
    for node in nodes:
        if not isinstance(node, ast.Expr) or not isinstance(
            node.value, ast.Constant
        ):
            continue
        if isinstance(node.value.value, str):
            numbers.update(lines_of(node))
    return numbers


def lines_of(node: ast.stmt) -> range:
    """Return the numbers of the lines that a node covers."""
    assert node.end_lineno is not None, "the parser sets it"
    return range(node.lineno, node.end_lineno + 1)


def read_tokens(source: str, docstring_lines: set[int]) -> Iterator[Token]:
    """Yield the tokens that count, an f-string as one."""
    f_string_starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        first_line = token.start[0]
        if token.type == F_STRING_START:
            f_string_starts.append(first_line)
        elif token.type == F_STRING_END:
            start = f_string_starts.pop()
            if not f_string_starts:
                yield Token(start, token.end[0])
        elif f_string_starts or token.type not in COUNTED:
            continue
        elif (
            token.type != tokenize.STRING or first_line not in docstring_lines
        ):
            yield Token(first_line, token.end[0])


def parameters(function: FunctionNode) -> list[ast.arg]:
    """Return all parameters of a function but `self` and `cls`."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    if named and named[0].arg in ("self", "cls"):
        named = named[1:]
    named += arguments.kwonlyargs
    if arguments.vararg:
        named.append(arguments.vararg)
    if arguments.kwarg:
        named.append(arguments.kwarg)
    return named


def read_annotations(function: FunctionNode) -> Iterator[str]:
    """Yield the annotation of each parameter and of the return; empty where there is none."""
    annotations = [parameter.annotation for parameter in parameters(function)]
    for annotation in [*annotations, function.returns]:
        yield ast.unparse(annotation) if annotation else ""


def measure_functions(
    nodes: Iterable[ast.AST],
    tokens: Iterable[Token],
    docstring_lines: set[int],
) -> list[Function]:
    """Return what is measured of each function, outer functions before their inner ones."""
    functions: list[Function] = []
    owners: dict[int, Function] = {}
    for node in nodes:
        if not isinstance(node, FunctionNode):
            continue
        function = Function(
            node.name, deepest_nesting(node.body), len(parameters(node))
        )
        functions.append(function)
        # An inner function comes later than its outer one, and so takes its lines over.
        owners.update(dict.fromkeys(lines_of(node), function))
    for line, owner in owners.items():
        if line not in docstring_lines:
            owner.lines += 1
    for token in tokens:
        if token.first_line in owners:
            owners[token.first_line].tokens += 1
    return functions


def deepest_nesting(statements: Iterable[ast.AST]) -> int:
    """Return how many blocks the innermost of the statements is in."""
    depths = [0]
    for statement in statements:
        if isinstance(statement, SCOPES):
            continue
        if isinstance(statement, ast.If) and has_elif(statement):
            depths.append(deepest_nesting(statement.body) + 1)
            depths.append(deepest_nesting(statement.orelse))
            continue
        inner = deepest_nesting(ast.iter_child_nodes(statement))
        depths.append(inner + isinstance(statement, BLOCKS))
    return max(depths)


def has_elif(statement: ast.If) -> bool:
    """Return whether an `elif` follows: the parser has it as an `if` in the same column."""
    following = statement.orelse
    if not following or not isinstance(following[0], ast.If):
        return False
    return following[0].col_offset == statement.col_offset


def ratio(part: float, whole: float) -> float:
    """Return the part of the whole; 0 where there is nothing."""
    if not whole:
        return 0.0
    return part / whole


def percentile(values: Iterable[int], percent: int) -> int:
    """Return the smallest value that at least that many percent of the values do not exceed."""
    ordered = sorted(values)
    if not ordered:
        return 0
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1]


def find_rooms(folder: Path) -> dict[str, list[Path]]:
    """Return the modules of each folder in `folder`, itself included, by the folder's name."""
    rooms: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.py")):
        name = path.parent.relative_to(folder.parent).as_posix()
        rooms.setdefault(name, []).append(path)
    return rooms


def columns(measurement: Measurement) -> dict[str, str]:
    """Return the columns of the table by their headings."""
    return {
        "code lines": f"{measurement.code_lines}",
        "tokens per line": f"{measurement.tokens_per_line:.1f}",
        "mean length": f"{measurement.mean_line_length:.1f}",
        "over 100 characters": f"{measurement.long_line_share:.1%}",
        "comprehensions": f"{measurement.comprehensions_per_100:.1f}",
        "conditionals": f"{measurement.conditionals_per_100:.1f}",
        "bare Any": f"{measurement.any_share:.1%}",
        "function lines p50": f"{measurement.function_lines(50)}",
        "p90": f"{measurement.function_lines(90)}",
        "function tokens p50": f"{measurement.function_tokens(50)}",
        "p90 of tokens": f"{measurement.function_tokens(90)}",
        "deepest nesting": f"{measurement.deepest_nesting}",
        "most arguments": f"{measurement.most_arguments}",
    }


def print_table(rows: dict[str, Measurement]) -> None:
    """Print the measurements as a table in Markdown, a row for each."""
    headings = list(columns(Measurement()))
    print(f"| room | {' | '.join(headings)} |")
    print(f"| --- |{' ---: |' * len(headings)}")
    for name, measurement in rows.items():
        print(f"| {name} | {' | '.join(columns(measurement).values())} |")


def main() -> None:
    """Print the table of the folder that the command line names, or of the project."""
    parser = argparse.ArgumentParser(prog="python -m tests.readability")
    parser.add_argument(
        "--of", type=Path, metavar="FOLDER", help="the code base to measure"
    )
    folder: Path | None = parser.parse_args().of
    everything: list[Path] = []
    if folder is None:
        folder = ROOT / "python"
        everything.append(ROOT / "service.py")
    rows: dict[str, Measurement] = {}
    for room, paths in find_rooms(folder.resolve()).items():
        rows[room] = measure(paths)
        if room != "python/example":
            everything += paths
    rows["all"] = measure(everything)
    print_table(rows)


if __name__ == "__main__":
    main()
