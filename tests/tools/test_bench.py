"""The tables of bench/ from made-up figures."""
from bench import compare

ROUND = {
    "echo, 1 connection": {"pollux": 300.0, "linux tuned": 100.0,
                           "linux stock": 50.0},
    "start to first echo in ms, pc": {"pollux": 100.0, "linux tuned": 2000.0,
                                      "linux stock": None},
}
COUNTED = {guest: {"echo, 1 connection": n} for guest, n in
           zip(compare.GUESTS, (4000, 16000, 20000))}


def test_rows_pair_the_ratios_by_round():
    twice = [ROUND, {**ROUND, "echo, 1 connection": {
        "pollux": 100.0, "linux tuned": 100.0, "linux stock": 50.0},
        "start to first echo in ms, pc": {
            "pollux": 100.0, "linux tuned": 1000.0, "linux stock": 7.0}}]
    echo, start, counted = compare.rows_of(twice, COUNTED)
    assert echo["ratio"] == (1, 2, 3)
    assert [round(x, 3) for x in start["ratio"]] == [0.05, 0.075, 0.1]
    assert start["linux stock"] == 7
    assert counted["ratio"][1] == 0.25


def test_the_chart_shows_times_better_for_rates_and_for_costs():
    rows = compare.rows_of([{**ROUND, "start to first echo in ms, pc": {
        "pollux": 100.0, "linux tuned": 2000.0, "linux stock": 1.0}}],
        COUNTED)
    chart = compare.svg(rows)
    assert ">3.0<" in chart and ">20.0<" in chart and ">4.0<" in chart
    assert "| echo, 1 connection | 300 /s | 100 /s | 50 /s | 3.00 " in \
        compare.markdown(rows, 1)
