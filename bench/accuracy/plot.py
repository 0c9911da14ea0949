# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The picture: how far from the best possible, over the jitter, for each servo."""
import subprocess

# what is drawn: name of the figure, title, colour, line width
LINES = (("pi_ns", "pi", "#D55E00", 2), ("linreg_ns", "linreg", "#009E73", 2),
         ("rms_ns", "default", "#0072B2", 3.5))
PANEL_LIMITS = {"normal": 1.10, "exponential": 1.60}
YARDSTICKS = {"normal": ("kf_ns", "Kalman filter"), "exponential": ("pf_ns", "particle filter")}
HEAD = """
set terminal {terminal}
set output '{path}'
set datafile missing '-'
set multiplot layout {rows},{columns} margins 0.088,0.985,0.085,0.87 spacing 0.016,0.1
set label 1 "Error of the published time over what is possible" at screen 0.01,0.965 \
    font ',15' textcolor '#222222'
set logscale xy
set xrange [6:1.7e5]
set yrange [0.7:{highest}]
set xtics ("10 ns" 10, "100 ns" 100, "1 us" 1e3, "10 us" 1e4, "100 us" 1e5) nomirror scale 0.5
set ytics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) nomirror scale 0.5
set grid ytics linecolor '#DDDDDD' linetype 1 linewidth 0.6
set border 3 linecolor '#888888'
set tics textcolor '#444444'
unset key
"""
KEY = [(title, colour) for _, title, colour, _ in reversed(LINES)] + [
    ("Kalman filter", "#777777"), ("limit (dotted)", "#777777")]


def panels_of(rows):
    """(noise, interval, wander) -> rows in the order of jitter, in the order of the rows."""
    panels = {}
    for row in rows:
        panels.setdefault((row["noise"], row["interval_s"], row["wander"]), []).append(row)
    return {key: sorted(cells, key=lambda row: row["jitter_ns"]) for key, cells in panels.items()}


def ratio(row, name):
    yardstick = row[YARDSTICKS[row["noise"]][0]]
    return None if row.get(name) is None or not yardstick else row[name] / yardstick


def data_block(name, cells):
    lines = [f"{name} << EOD"]
    for row in cells:
        ratios = [ratio(row, figure) for figure, *_ in LINES]
        lines.append(" ".join(["%g" % row["jitter_ns"]]
                              + ["-" if value is None else f"{value:.5g}" for value in ratios]
                              + [f"{ratio(row, 'kf_ns'):.5g}"]))
    return "\n".join(lines + ["EOD"])


def key_labels():
    """The words of the key in the colours of the lines, right-aligned on one line."""
    commands, right = [], 0.985
    for number, (text, colour) in enumerate(reversed(KEY), 2):
        commands.append(f"set label {number} '{text}' at screen {right:.3f},0.965 right "
                        f"font ',12' textcolor '{colour}'")
        right -= 0.022 + 0.0072 * len(text)
    return "\n".join(commands)


def short(wander):
    return f"{wander:.0e}".replace("e-0", "e-")


def draw_panel(number, key, cells, columns):
    noise, interval, wander = key
    block = f"$panel{number}"
    is_left = number % columns == 0
    commands = [
        data_block(block, cells),
        f"set title 'Sync each {interval:g} s, wander {short(wander)}' font ',11' "
        "offset 0,-0.6 textcolor '#222222'",
        "unset label" if number > 0 else key_labels(),
        "set format y '%g'" if is_left else "set format y ''",
        (f'set ylabel "{noise} jitter\\nRMS / {YARDSTICKS[noise][1]}" '
         "textcolor '#444444' offset -0.6"
         if is_left else "unset ylabel"),
    ]
    plots = [f"{PANEL_LIMITS[noise]} with lines linecolor '#999999' dashtype 3 linewidth 1.5"]
    if noise == "exponential":
        plots.append(f"{block} using 1:{2 + len(LINES)} with lines linecolor '#777777' "
                     "linewidth 1.5")
    for column, (_, _, colour, width) in enumerate(LINES, 2):
        plots.append(f"{block} using 1:{column} with linespoints pointtype 7 pointsize 0.5 "
                     f"linecolor '{colour}' linewidth {width}")
    return "\n".join(commands + ["plot " + ", \\\n  ".join(plots)])


def draw(rows, path):
    """Writes an .svg or .png; rows: of the matrix."""
    panels = panels_of(rows)
    columns = max(sum(key[0] == noise for key in panels) for noise in YARDSTICKS)
    highest = max(ratio(row, figure) or 1 for row in rows for figure, *_ in LINES)
    size = f"{90 + 270 * columns},{110 + 260 * -(-len(panels) // columns)}"
    terminal = (f"pngcairo size {size} background '#FFFFFF' font 'sans,10'"
                if path.endswith(".png")
                else f"svg size {size} background '#FFFFFF' font 'sans,10'")
    script = [HEAD.format(terminal=terminal, path=path, rows=-(-len(panels) // columns),
                          columns=columns, highest=1.4 * highest)]
    script += [draw_panel(number, key, cells, columns)
               for number, (key, cells) in enumerate(panels.items())]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\nunset multiplot\n", text=True,
                   check=True)
