"""Tables in CSV files: the forms that are read, and the error that names a line that is not."""

import csv
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import data


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a file and reads it as a table."""

    def go(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return data.read_csv(path)

    return go


PLAIN = "1,2,a\n3,4,b\n5,6,a\n7,8,b\n"
XS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]


def test_a_table_without_a_header_numbers_its_columns(read):
    table = read(PLAIN)
    assert table == (XS, [0, 1, 0, 1], ["a", "b"], ["column 1", "column 2"], "column 3")


def test_a_header_names_the_columns(read):
    table = read("length,width,kind\n" + PLAIN)
    assert (table.xs, table.features, table.target) == (XS, ["length", "width"], "kind")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.removesuffix("\n"),
        "\n \n" + PLAIN.replace("\n", "\n\n"),
        "\ufeff" + PLAIN,
        PLAIN.replace("1,", '"1",').replace(",a", ',"a"'),
        PLAIN.replace(",", " , "),
    ],
)
def test_the_usual_forms_are_read_alike(read, content):
    assert read(content)[:3] == (XS, [0, 1, 0, 1], ["a", "b"])


def test_quoted_fields_may_have_commas_quotes_and_line_ends(read):
    table = read('size,"the ""kind"", in words"\n1,"a,\nb"\n2,c\n1,"a,\nb"\n2,c\n')
    assert table.target == 'the "kind", in words'
    assert (table.classes, table.ys) == (["a,\nb", "c"], [0, 1, 0, 1])


def test_whole_numbers_are_classes_in_their_order(read):
    table = read("0.5,10\n0.6,9\n0.7,10.0\n0.8,-1\n0.8,9\n0.8,-1\n")
    assert (table.ys, table.classes) == ([2, 1, 2, 0, 1, 0], ["-1", "9", "10"])


def test_numbered_columns_are_a_header_if_the_target_has_a_name(read):
    table = read("0,1,kind\n" + PLAIN)
    assert (table.xs, table.features, table.target) == (XS, ["0", "1"], "kind")
    assert read("0,1,a\n" + PLAIN).xs == [[0.0, 1.0], *XS]  # a class of other rows: a sample


BAD = [
    ("", "table.csv: expected a table, not an empty file"),
    ("\n\n", "table.csv: expected a table, not an empty file"),
    ("a\nb\n", "table.csv: line 1: expected at least two columns, the last with the class, not 1"),
    (PLAIN + "9,c\n", "table.csv: line 5: expected 3 fields, as in line 1, not 2"),
    (PLAIN + "9,9,9,c\n", "line 5: expected 3 fields, as in line 1, not 4"),
    ("p,q,kind\n\n1,2,a\n1,x,a\n", "line 4: column 2 ('q') is 'x'; expected a number"),
    ("1,2,a\n1,x,a\n", "line 2: column 2 is 'x'; expected a number"),
    ("1,2,a\n1,,a\n", "line 2: column 2 is empty; expected a number"),
    ("1,2,a\n1,nan,a\n", "line 2: column 2 is nan; expected a finite number"),
    ("1,2,a\n1,1e999,a\n", "line 2: column 2 is inf; expected a finite number"),
    ("1,2,a\n1,1_000,a\n", "line 2: column 2 is '1_000'; expected a number"),
    (
        "1,5;2;a\n1;2;a\n",
        "line 1: column 1 is '1,5'; expected a number (write a decimal point, not a comma)",
    ),
    ("1,oops,a\n1,2,a\n", "line 1: column 2 is 'oops'; expected a number"),
    ("1,2,a\n1,2,\n", "line 2: the last column is empty; expected the class: a name or a whole number"),
    ("1,2,3\n1,2,0.5\n", "line 2: the last column is '0.5'; expected the class: a name or a whole number"),
    ("1,2,3\n1,2,nan\n", "line 2: the last column is 'nan'; expected the class"),
    (
        ",p,kind\n0,1,a\n",
        "line 1: column 1 has no name (if it numbers the rows, remove it: it is no feature)",
    ),
    ("p,kind\n", "the last column, 'kind', has no row; expected at least two classes"),
    ("p,kind\n1,a\n2,a\n", "the last column, 'kind', has the one class 'a'; expected at least two classes"),
    ("p,kind\n1,1\n2,2\n3,3\n", "the last column, 'kind', has 3 different values in 3 rows, too many for"),
    ('1,2,a\n1,"2,a\n1,2,a\n', "table.csv: line 2: unexpected end of data"),
    ('1,2,a\n1,"2"x,a\n', "table.csv: line 2: "),
    (b"1,2,a\n1,2,\xff\n", "table.csv: expected text in UTF-8: invalid start byte at byte 10"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_bad_line_is_named_with_its_number(read, content, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read(content)
    assert message in str(caught.value)
    assert str(caught.value).startswith("table.csv: ")
    assert "\n" not in str(caught.value)


def test_the_number_of_a_line_counts_the_lines_inside_quotes(read):
    with pytest.raises(ValueError, match="line 4: expected 2 fields"):
        read('p,kind\n1,"a\nb"\n1,2,3\n')


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        data.read_csv(tmp_path / "none.csv")


@given(
    rows=st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["a", "b,", 'c"', "d;\n"])
        ),
        min_size=1,
        max_size=20,
    ),
    delimiter=st.sampled_from(",;\t"),
)
def test_what_the_module_csv_writes_is_read(tmp_path_factory, rows, delimiter):
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    rows = [*rows, *rows, (0.0, "a"), (0.0, "b,"), (1.0, "a"), (1.0, "b,"), (1.0, "a"), (1.0, "b,")]
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("number", "kind"), *rows])
    table = data.read_csv(path)
    assert table.xs == [[x] for x, _ in rows]
    assert [table.classes[y] for y in table.ys] == [kind.strip() for _, kind in rows]


def test_a_table_goes_through_split_and_standardise(read):
    xs, ys, *_ = read(PLAIN)
    (train_xs, _), (test_xs, _) = data.split(xs, ys, rng=random.Random(0))
    train, test = data.standardise(train_xs, test_xs)
    assert (len(train), len(test)) == (3, 1)
