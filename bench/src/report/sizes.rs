//! Time by size: one plot for each operation, a line for each library, backend and thread count.
//! An operation measured at one size only has no line and no plot.

use super::File;
use super::plots::{ONE_THREAD, Palette, legend, scalars, section, title};
use super::svg::{Anchor, LogScale, Svg, duration, escape, power_of_two};
use std::collections::BTreeMap;

/// A line of a plot of times.
type Series = BTreeMap<u32, f64>;

/// Time by size, one plot for each operation that was measured at two sizes or more.
pub fn sizes(files: &[File]) -> String {
    let mut palette = Palette::default();
    let mut operations: Vec<(String, Vec<(String, Series)>)> = Vec::new();
    for file in files {
        for row in &file.results.rows {
            let operation = match scalars(row).filter(|_| row.op.starts_with("msm")) {
                Some(scalars) => format!("{}, {scalars} scalars", title(&row.op)),
                None => title(&row.op).to_string(),
            };
            let mark = if files.len() > 1 { format!("{}: ", file.mark) } else { String::new() };
            let ours = format!("{mark}{}, {} threads", row.backend, row.threads);
            add(&mut operations, &operation, &ours, row.log_size, row.seconds);
            if let (Some(rival), Some(seconds)) = (&row.rival, row.rival_seconds)
                && rival != ONE_THREAD
            {
                let name = format!("{mark}{rival}, {} threads", row.threads);
                add(&mut operations, &operation, &name, row.log_size, seconds);
            }
        }
    }
    operations.iter_mut().for_each(|(_, series)| series.retain(|(_, points)| points.len() > 1));
    operations.retain(|(_, series)| !series.is_empty());
    let plot = |(operation, series): &(String, Vec<(String, Series)>)| {
        format!("<div><h3>{}</h3>{}</div>", escape(operation), size_plot(operation, series, &mut palette))
    };
    let plots: String = operations.iter().map(plot).collect();
    if plots.is_empty() {
        return plots;
    }
    section(
        "Size against time",
        "Median seconds, both axes logarithmic: a straight line of slope one is linear growth. The table below has the spread.",
        &format!("{}<div class=\"plots\">{plots}</div>", legend(&palette.entries())),
    )
}

fn add(
    operations: &mut Vec<(String, Vec<(String, Series)>)>,
    operation: &str,
    name: &str,
    log: u32,
    seconds: f64,
) {
    let at = operations.iter().position(|(known, _)| known == operation).unwrap_or_else(|| {
        operations.push((operation.to_string(), Vec::new()));
        operations.len() - 1
    });
    let series = &mut operations[at].1;
    let at = series.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        series.push((name.to_string(), Series::new()));
        series.len() - 1
    });
    series[at].1.entry(log).or_insert(seconds);
}

fn size_plot(operation: &str, series: &[(String, Series)], palette: &mut Palette) -> String {
    let (left, right, top, bottom) = (58.0, 404.0, 10.0, 210.0);
    let mut svg = Svg::new(420.0, 236.0, &format!("{operation}: time by size"));
    let seconds: Vec<f64> = series.iter().flat_map(|(_, points)| points.values().copied()).collect();
    let logs = || series.iter().flat_map(|(_, points)| points.keys().copied());
    let (low, high) = (logs().min().unwrap_or(0), logs().max().unwrap_or(1));
    let y = LogScale::around(&seconds, bottom, top);
    let x = |log: u32| {
        left + 10.0 + (right - left - 20.0) * f64::from(log - low) / f64::from((high - low).max(1))
    };
    for tick in y.ticks() {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        svg.text("", Anchor::End, (left - 6.0, y.at(tick) + 4.0), &power_of_ten(tick));
    }
    for log in low..=high {
        svg.text("", Anchor::Middle, (x(log), bottom + 18.0), &power_of_two(log));
    }
    svg.line("axis", (left, bottom), (right, bottom));
    for (name, points) in series {
        let colour = palette.of(name);
        let line: Vec<(f64, f64)> = points.iter().map(|(log, s)| (x(*log), y.at(*s))).collect();
        svg.path(&format!("s{colour}"), &line);
        for ((log, seconds), at) in points.iter().zip(line) {
            svg.dot(
                &format!("f{colour}"),
                at,
                4.0,
                &format!("{name}, {}: {}", power_of_two(*log), duration(*seconds)),
            );
        }
    }
    svg.finish()
}

/// 0.001 as `1 ms`.
fn power_of_ten(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s > 0.9 => (s, "s"),
        s if s > 0.9e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    format!("{value:.0} {unit}")
}
